import { expect, test } from 'vitest';
import { createConcurrencyLimit } from '../../src/listen/concurrency-limit.ts';

test('holds each client to its own limit, and forgets those that have left', () => {
  let refused = 0;
  const tally = createConcurrencyLimit(
    () => 2,
    () => (refused += 1),
  );
  expect([tally.acquire('a'), tally.acquire('a'), tally.acquire('a'), tally.acquire('b')]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  expect(refused).toBe(1);
  tally.release('a');
  expect(tally.acquire('a')).toBe(true);
  for (let i = 0; i < 3; i += 1) tally.release('a');
  expect([tally.acquire('a'), tally.acquire('a'), tally.acquire('a')]).toEqual([true, true, false]);
});
