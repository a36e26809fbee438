import { expect, test } from 'vitest';
import { createTally } from '../../src/listen/tally.ts';

test('holds each client to its own limit, and forgets those that have left', () => {
  let refused = 0;
  const tally = createTally(
    () => 2,
    () => (refused += 1),
  );
  expect([tally.enter('a'), tally.enter('a'), tally.enter('a'), tally.enter('b')]).toEqual([true, true, false, true]);
  expect(refused).toBe(1);
  tally.leave('a');
  expect(tally.enter('a')).toBe(true);
  for (let i = 0; i < 3; i += 1) tally.leave('a');
  expect([tally.enter('a'), tally.enter('a'), tally.enter('a')]).toEqual([true, true, false]);
});
