import { expect, test } from 'vitest';
import { createRate } from '../../src/listen/rate.ts';

test('gives a burst, then one by one as time goes by, to each key of its own, and never more than the burst', () => {
  let now = 0;
  const rate = createRate({ burst: () => 2, perSecond: () => 10, now: () => now });
  expect([rate.take('a'), rate.take('a'), rate.take('a'), rate.take('b')]).toEqual([true, true, false, true]);
  now = 100;
  expect([rate.take('a'), rate.take('a')]).toEqual([true, false]);
  now = 10_000;
  expect([rate.take('a'), rate.take('a'), rate.take('a')]).toEqual([true, true, false]);
  rate.giveBack('a');
  expect([rate.take('a'), rate.take('a')]).toEqual([true, false]);
});
