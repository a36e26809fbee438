import { describe, expect, test } from 'vitest';
import { parseWindow } from '../../src/config/windows.ts';
import { zoneOf } from '../../src/config/zone.ts';
import { holds, nextChange, nextChangeOf, nextTurn } from '../../src/decide/schedule.ts';
import type { Schedule } from '../../src/flow.ts';
import { document } from './questions.ts';

const hour = 3_600_000;
const minute = 60_000;
const dayOf = (text: string): number => Date.parse(`${text}T00:00Z`) / (24 * hour);

interface Given {
  readonly zone?: string;
  readonly windows: readonly string[];
  readonly holidays?: readonly string[];
  readonly onHolidays?: Schedule['onHolidays'];
}

function schedule({ zone = 'UTC', windows, holidays = [], onHolidays = 'as-usual' }: Given): Schedule {
  return {
    zone: zoneOf(zone),
    windows: windows.map(parseWindow),
    holidays: new Set(holidays.map(dayOf)),
    onHolidays,
  };
}

describe('a window holds', () => {
  const office = { windows: ['mon-fri 08:00-18:00'] };
  const night = { windows: ['fri 22:00-06:00'] };
  const berlin = { zone: 'Europe/Berlin', windows: ['mon-fri 08:00-18:00'] };
  // 2026-07-10 is a Friday.
  test.each<readonly [what: string, given: Given, at: string, expected: boolean]>([
    ['from its first minute', office, '2026-07-10T08:00:00Z', true],
    ['not a millisecond before', office, '2026-07-10T07:59:59.999Z', false],
    ['until its last millisecond', office, '2026-07-10T17:59:59.999Z', true],
    ['not at its end', office, '2026-07-10T18:00:00Z', false],
    ['not on another day', office, '2026-07-11T10:00:00Z', false],
    ['in the evening', night, '2026-07-10T23:00:00Z', true],
    ['past midnight, though the day is another', night, '2026-07-11T05:59:59Z', true],
    ['not on the morning of its own day', night, '2026-07-10T05:00:00Z', false],
    ['by the clocks of its zone, in summer', berlin, '2026-07-10T06:00:00Z', true],
    ['by the clocks of its zone, in winter', berlin, '2026-12-11T06:30:00Z', false],
    ['on Sunday into Monday', { windows: ['sun 22:00-06:00'] }, '2026-07-13T02:00:00Z', true],
    ['all day', { windows: ['sat,sun'] }, '2026-07-12T23:59:59Z', true],
    ['in one of several', { windows: ['mon 08:00-09:00', 'fri 10:00-11:00'] }, '2026-07-10T10:30:00Z', true],
    ['before 1970 too', { windows: ['wed'] }, '1969-12-31T12:00:00Z', true],
  ])('%s', (_, given, at, expected) => {
    expect(holds(schedule(given), Date.parse(at))).toBe(expected);
  });

  const off = { windows: ['daily 22:00-06:00'], holidays: ['2026-12-25'] };
  test.each<readonly [what: string, given: Given, at: string, expected: boolean]>([
    ['as on any other day', off, '2026-12-25T23:00:00Z', true],
    ['not where holidays are left out', { ...off, onHolidays: 'except' }, '2026-12-25T23:00:00Z', false],
    ['into the holiday, where it began before', { ...off, onHolidays: 'except' }, '2026-12-25T05:00:00Z', true],
    ['not into the morning after', { ...off, onHolidays: 'except' }, '2026-12-26T05:00:00Z', false],
    ['where it is for holidays only', { ...off, onHolidays: 'only' }, '2026-12-25T23:00:00Z', true],
    ['into the morning after', { ...off, onHolidays: 'only' }, '2026-12-26T05:00:00Z', true],
    ['not on another day', { ...off, onHolidays: 'only' }, '2026-12-24T23:00:00Z', false],
  ])('on holidays: %s', (_, given, at, expected) => {
    expect(holds(schedule(given), Date.parse(at))).toBe(expected);
  });
});

describe('where the clocks change', () => {
  /** Every stretch in which it holds between two instants, found minute by minute. */
  function stretches(given: Given, from: string, to: string): string[] {
    const one = schedule(given);
    const found: string[] = [];
    let since: number | null = null;
    for (let at = Date.parse(from); at <= Date.parse(to); at += minute) {
      const on = holds(one, at);
      if (on && since === null) since = at;
      if (!on && since !== null) {
        found.push(`${new Date(since).toISOString().slice(5, 16)} +${String((at - since) / minute)}`);
        since = null;
      }
    }
    return found;
  }
  const zone = 'Europe/Berlin';
  test.each<readonly [what: string, windows: string, from: string, expected: readonly string[]]>([
    ['the night of spring is an hour shorter', 'sat 22:00-06:00', '2027-03-27T18:00Z', ['03-27T21:00 +420']],
    ['the night of autumn is an hour longer', 'sat 22:00-06:00', '2026-10-24T18:00Z', ['10-24T20:00 +540']],
    ['what lies in the hour that is skipped does not happen', 'sun 02:15-02:45', '2027-03-27T18:00Z', []],
    ['what reaches into it begins behind it', 'sun 02:30-03:30', '2027-03-27T18:00Z', ['03-28T01:00 +30']],
    [
      'what the clocks show twice holds twice',
      'sun 02:15-02:45',
      '2026-10-24T18:00Z',
      ['10-25T00:15 +30', '10-25T01:15 +30'],
    ],
    ['what spans the hour holds through it', 'sun 01:30-03:30', '2026-10-24T18:00Z', ['10-24T23:30 +180']],
  ])('%s', (_, windows, from, expected) => {
    const to = new Date(Date.parse(from) + 20 * hour).toISOString();
    expect(stretches({ zone, windows: [windows] }, from, to)).toEqual(expected);
  });
});

describe('the next turn', () => {
  test.each<readonly [what: string, given: Given, now: string, expected: string | null]>([
    ['the beginning', { windows: ['mon-fri 08:00-18:00'] }, '2026-07-10T07:00:00Z', '2026-07-10T08:00:00.000Z'],
    ['the end', { windows: ['mon-fri 08:00-18:00'] }, '2026-07-10T08:00:00Z', '2026-07-10T18:00:00.000Z'],
    ['over a weekend', { windows: ['mon-fri 08:00-18:00'] }, '2026-07-10T18:00:00Z', '2026-07-13T08:00:00.000Z'],
    ['not between windows that touch', { windows: ['fri', 'sat'] }, '2026-07-10T08:00:00Z', '2026-07-12T00:00:00.000Z'],
    [
      'over holidays',
      { windows: ['fri 08:00-18:00'], holidays: ['2026-12-25', '2027-01-01'], onHolidays: 'except' },
      '2026-12-24T08:00:00Z',
      '2027-01-08T08:00:00.000Z',
    ],
    [
      'years ahead',
      { windows: ['daily'], holidays: ['2031-05-01'], onHolidays: 'only' },
      '2026-07-10T00:00:00Z',
      '2031-05-01T00:00:00.000Z',
    ],
    [
      'never, where the holidays are over',
      { windows: ['daily'], holidays: ['2025-05-01'], onHolidays: 'only' },
      '2026-07-10T00:00:00Z',
      null,
    ],
    ['never, where it always holds', { windows: ['daily'] }, '2026-07-10T00:00:00Z', null],
    [
      'where the clocks jump over the beginning',
      { zone: 'Europe/Berlin', windows: ['sun 02:30-03:30'] },
      '2027-03-27T00:00:00Z',
      '2027-03-28T01:00:00.000Z',
    ],
    [
      'over a week without',
      { zone: 'Europe/Berlin', windows: ['sun 02:15-02:45'] },
      '2027-03-22T00:00:00Z',
      '2027-04-04T00:15:00.000Z',
    ],
  ])('%s', (_, given, now, expected) => {
    const at = nextTurn(schedule(given), Date.parse(now));
    expect(at === null ? null : new Date(at).toISOString()).toBe(expected);
  });

  test.each([
    { zone: 'Europe/Berlin', windows: ['sun 02:15-02:45', 'sat 22:00-02:30'] },
    { zone: 'America/Havana', windows: ['sun 00:15-00:45', 'daily 23:30-00:30'] },
    {
      zone: 'Africa/Cairo',
      windows: ['fri 00:00-01:00', 'thu 23:00-00:30'],
      holidays: ['2027-04-30'],
      onHolidays: 'except' as const,
    },
    {
      zone: 'Australia/Lord_Howe',
      windows: ['sun 01:45-02:15'],
      holidays: ['2027-04-04'],
      onHolidays: 'except' as const,
    },
  ])('is the one that looking at every minute finds: $zone $windows', (given) => {
    const one = schedule(given);
    for (const start of ['2026-10-20T00:00Z', '2027-03-20T00:00Z', '2027-04-20T00:00Z']) {
      let at = Date.parse(start);
      const end = at + 21 * 24 * hour;
      let told = nextTurn(one, at);
      for (let held = holds(one, at); at < end; at += minute) {
        if (holds(one, at) === held) continue;
        expect(told === null ? null : new Date(told).toISOString()).toBe(new Date(at).toISOString());
        held = !held;
        told = nextTurn(one, at);
      }
    }
  });
});

describe('the next change', () => {
  const at = (text: string): number => Date.parse(text);
  const nightly = schedule({ windows: ['daily 22:00-06:00'] });
  test.each<readonly [what: string, timed: Parameters<typeof nextChangeOf>[0], expected: string | null]>([
    ['none without dates', {}, null],
    ['the first moment', { from: at('2026-08-01T00:00Z') }, '2026-08-01T00:00:00.000Z'],
    ['the last', { from: at('2026-07-01T00:00Z'), until: at('2026-08-01T00:00Z') }, '2026-08-01T00:00:00.000Z'],
    ['none when it is over', { until: at('2026-07-10T00:00Z') }, null],
    ['a window', { schedule: nightly }, '2026-07-10T22:00:00.000Z'],
    [
      'a window behind the first moment',
      { from: at('2026-08-01T12:00Z'), schedule: nightly },
      '2026-08-01T22:00:00.000Z',
    ],
    ['the first moment, in a window', { from: at('2026-08-01T23:00Z'), schedule: nightly }, '2026-08-01T23:00:00.000Z'],
    ['none where no window is left', { until: at('2026-07-10T22:00Z'), schedule: nightly }, null],
  ])('%s', (_, timed, expected) => {
    const next = nextChangeOf(timed, at('2026-07-10T12:00Z'));
    expect(next === null ? null : new Date(next).toISOString()).toBe(expected);
  });

  test('the end, in a window', () => {
    const timed = { until: at('2026-07-10T23:00Z'), schedule: nightly };
    expect(nextChangeOf(timed, at('2026-07-10T22:30Z'))).toBe(at('2026-07-10T23:00Z'));
  });

  test('of a policy is the first of all rules and exceptions', () => {
    const policy = document({
      rules: [
        { vendors: ['openai'], from: at('2026-09-01T00:00Z') },
        { vendors: ['anthropic'], schedule: nightly },
      ],
      exceptions: [{ vendors: ['anthropic'], until: at('2026-07-10T13:00Z') }],
    });
    expect(nextChange(policy, at('2026-07-10T12:00Z'))).toBe(at('2026-07-10T13:00Z'));
    expect(nextChange(policy, at('2026-07-10T13:00Z'))).toBe(at('2026-07-10T22:00Z'));
    expect(nextChange({ rules: [], exceptions: [] }, 0)).toBeNull();
  });
});
