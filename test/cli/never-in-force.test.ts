import { expect, test } from 'vitest';
import { neverInForce } from '../../src/cli/never-in-force.ts';
import { placedWarnings } from '../../src/config/lint.ts';
import { loadConfig } from '../../src/config/load.ts';
import { withConfig } from '../config/folder.ts';

/** A Saturday. */
const now = Date.parse('2026-08-01T12:00:00Z');

function warnings(more: string, top = ''): readonly string[] {
  const policy = `${top}\nrules: [{ id: r, vendors: acme, effect: deny, reason: x, ${more} }]\n`;
  return withConfig({ 'policy.yaml': policy }, (file) =>
    placedWarnings(neverInForce(loadConfig(file), now)).map(
      ({ position, message }) => `${position?.line ?? 0}: ${message}`,
    ),
  );
}

const rule = (why: string): readonly string[] => [`2: the rule "r" will not apply: ${why}`];

test('no day of the window lies between from and until', () => {
  expect(warnings('from: 2026-09-07, until: 2026-09-11, windows: sat')).toEqual(
    rule(
      'no window of it opens from 2026-09-07T00:00Z until 2026-09-11T00:00Z; correct its dates, windows or holidays',
    ),
  );
  expect(warnings('from: 2026-01-01, until: 2026-08-04, windows: wed')).toEqual(
    rule('no window of it opens from now until 2026-08-04T00:00Z; correct its dates, windows or holidays'),
  );
  expect(warnings('until: 2026-08-04T07:59Z, windows: tue 08:00-09:00')).toEqual(
    rule('no window of it opens from now until 2026-08-04T07:59Z; correct its dates, windows or holidays'),
  );
});

test('every day of the window is a holiday that is left out', () => {
  expect(warnings('until: 2026-08-10, windows: mon, holidays: except', 'holidays: [2026-08-03]')).toEqual(
    rule('no window of it opens from now until 2026-08-10T00:00Z; correct its dates, windows or holidays'),
  );
});

test('every holiday is over', () => {
  expect(warnings('holidays: only', 'holidays: [2025-12-25, 2026-01-01]')).toEqual(
    rule(
      'it is for holidays only, and the last of them was 2026-01-01; list the coming ones under "holidays", or remove it',
    ),
  );
  expect(warnings('holidays: only', 'holidays: [2026-01-01]\ntime_zone: Asia/Tokyo')).toEqual([
    `3: the rule "r" will not apply: it is for holidays only, and the last of them was 2026-01-01; list the coming ones under "holidays", or remove it`,
  ]);
});

test('no holiday falls on a day of the window', () => {
  expect(warnings('windows: sun, holidays: only', 'holidays: [2026-12-25]')).toEqual(
    rule('no window of it opens on any of the holidays; correct its dates, windows or holidays'),
  );
});

test('an exception', () => {
  const exceptions =
    'exceptions: [{ id: e, vendors: acme, until: 2026-08-05, windows: thu, approved_by: me, reason: x }]';
  expect(warnings('windows: sat', exceptions)).toEqual([
    '1: the exception "e" will not apply: no window of it opens from now until 2026-08-05T00:00Z; correct its dates, windows or holidays',
  ]);
});

test.each([
  ['a window is open', 'windows: sat, until: 2026-08-02', ''],
  ['a window opens in time', 'from: 2026-09-07, until: 2026-09-13, windows: sat', ''],
  [
    'a window that began before from reaches into it',
    'from: 2026-09-06, until: 2026-09-07, windows: sat 22:00-06:00',
    '',
  ],
  ['it has no windows', 'from: 2026-09-07, until: 2026-09-11', ''],
  ['it is over', 'until: 2026-07-31, windows: sun', ''],
  ['it is still the holiday there', 'holidays: only', 'holidays: [2026-08-02]\ntime_zone: Pacific/Kiritimati'],
  ['today is the holiday', 'holidays: only', 'holidays: [2026-08-01]'],
  ['one holiday is yet to come', 'holidays: only', 'holidays: [2025-12-25, 2028-12-25]'],
  ['holidays are left out, and all are over', 'holidays: except', 'holidays: [2025-12-25]'],
])('none where %s', (_, more, top) => {
  expect(warnings(more, top)).toEqual([]);
});
