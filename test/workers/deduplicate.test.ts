/** Lines that several processes say at once. */
import { expect, test } from 'vitest';
import { createDeduplicator } from '../../src/workers/deduplicate.ts';

test('what many say at the same time is told once, and again when it happens again', () => {
  const told: string[] = [];
  let now = 0;
  const tell = createDeduplicator(
    (line) => void told.push(line),
    () => now,
    1_000,
  );
  tell('a');
  tell('b');
  tell('a');
  now = 999;
  tell('b');
  expect(told).toEqual(['a', 'b']);
  now = 1_000;
  tell('a');
  tell('b');
  expect(told).toEqual(['a', 'b', 'a', 'b']);
});
