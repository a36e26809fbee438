import { expect, test } from 'vitest';
import { retryAfter } from '../../src/gateway/held-list.ts';

const minute = 60_000;

test.each([
  [1, false, 5_000],
  [2, false, 10_000],
  [3, false, 20_000],
  [6, false, 160_000],
  [7, false, 5 * minute],
  [1_000, false, 5 * minute],
  [1, true, 5 * minute],
])('after %i failures, loaded once: %s', (failures, loaded, expected) => {
  expect(retryAfter(failures, loaded)).toBe(expected);
});
