import { expect, test } from 'vitest';
import { fit, grows } from '../../bench/growth.mjs';

/** Noise that is the same each time, between -1 and 1. */
function noise(i: number): number {
  return Math.sin(i * 12.9898) * Math.cos(i * 78.233);
}

function points(slope: number, spread: number): (readonly [number, number])[] {
  return Array.from({ length: 30 }, (_, i) => [i * 25, 4e7 + slope * i * 25 + spread * noise(i)]);
}

test('a straight line is found without an error', () => {
  const { slope, error } = fit([
    [0, 5],
    [10, 25],
    [20, 45],
    [40, 85],
  ]);
  expect(slope).toBeCloseTo(2, 10);
  expect(error).toBeCloseTo(0, 10);
});

test('the standard error is that of the textbook', () => {
  const { slope, error } = fit([
    [1, 1],
    [2, 3],
    [3, 2],
    [4, 5],
  ]);
  expect(slope).toBeCloseTo(1.1, 10);
  // The line misses by -0.1, 0.8, -1.3 and 0.6; two degrees of freedom are left, and the xs spread by 5.
  expect(error).toBeCloseTo(Math.sqrt(2.7 / 2 / 5), 10);
});

test.each([
  ['no slope and much noise', 0, 500_000, false],
  ['a slope that nobody cares for', 1_000, 1_000, false],
  ['a slope that drowns in noise', 3_000, 5_000_000, false],
  ['eight bytes for each request, in noise', 8_000, 200_000, true],
  ['what shrinks', -50_000, 1_000, false],
])('%s', (_what, slope, spread, expected) => {
  expect(grows(fit(points(slope, spread)), 725, 1 << 20)).toBe(expected);
});
