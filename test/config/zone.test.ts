import { expect, test } from 'vitest';
import { clockFormat, wallClock, zoneOf } from '../../src/config/zone.ts';
import { offsetAt } from '../../src/decide/schedule.ts';

const hour = 3_600_000;

test.each([
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Shanghai',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Beirut',
  'America/Havana',
  'Pacific/Apia',
])('the table of %s says what the calendar of the system says', (name) => {
  const zone = zoneOf(name);
  const format = clockFormat(name);
  const expectSame = (at: number): void => {
    expect(offsetAt(zone, at), new Date(at).toISOString()).toBe(wallClock(format, at) - at);
  };
  for (let at = Date.UTC(2010, 0, 1); at < Date.UTC(2059, 11, 31); at += 83 * 24 * hour + 7 * hour) expectSame(at);
  for (const { at } of zone.changes) [at - 1000, at, at + hour].forEach(expectSame);
});

test('a zone is read once', () => {
  expect(zoneOf('Europe/Berlin')).toBe(zoneOf('Europe/Berlin'));
});

test('clocks that never change have no table', () => {
  expect(zoneOf('UTC')).toEqual({ name: 'UTC', first: 0, changes: [] });
  expect(zoneOf('Asia/Kolkata')).toEqual({ name: 'Asia/Kolkata', first: 5.5 * hour, changes: [] });
});
