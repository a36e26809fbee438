import { expect, test } from 'vitest';
import { parseWindow } from '../../src/config/windows.ts';
import { zoneOf } from '../../src/config/zone.ts';
import { createIntervals } from '../../src/rehearse/intervals.ts';

const what = { vendors: ['acme'] };
const about = { what, effect: 'deny', reason: 'r' } as const;
const day = 86_400_000;

test('a stretch lasts until something begins or ends, in whatever order it is asked for', () => {
  const stretchOf = createIntervals({
    rules: [
      { id: 'a', from: 100, ...about },
      { id: 'b', from: 50, until: 100, ...about },
      { id: 'c', ...about },
    ],
    exceptions: [{ id: 'd', until: 200, what, approvedBy: 'x', reason: 'r' }],
  });
  const times = [0, 49, 50, 99, 100, 199, 200, 1_000];
  const expected = [50, 50, 100, 100, 200, 200, Infinity, Infinity];
  expect(times.map(stretchOf)).toEqual(expected);
  expect(times.toReversed().map(stretchOf)).toEqual(expected.toReversed());
});

test('windows begin and end too', () => {
  const windows = [parseWindow('daily 08:00-18:00')];
  const schedule = { zone: zoneOf('UTC'), windows, holidays: new Set<number>(), onHolidays: 'as-usual' } as const;
  const stretchOf = createIntervals({ rules: [{ id: 'a', schedule, ...about }], exceptions: [] });
  expect([0, day / 2, day - 1].map(stretchOf)).toEqual([day / 3, (day * 3) / 4, day + day / 3]);
});
