import { expect, test } from 'vitest';
import { counted } from '../../src/config/counted.ts';

test.each([
  [0, '0 lines'],
  [1, '1 line'],
  [2, '2 lines'],
])('%i', (count, words) => expect(counted(count, 'line')).toBe(words));

test('a word whose plural is another', () => expect(counted(2, 'policy', 'policies')).toBe('2 policies'));
