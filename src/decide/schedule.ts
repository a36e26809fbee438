/**
 * Weekly windows: whether one is open at an instant, and when that changes. A decision uses only arithmetic on the
 * table of the time zone, and no calendar functions.
 *
 * Windows follow wall-clock time: an hour that is skipped in spring does not occur, and one that is repeated in autumn
 * occurs twice.
 */
import type { Exception, PolicyDocument, Rule, Schedule, Zone } from '../flow.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const DAY_MINUTES = 1_440;
/** Weeks to search for the next change: a year, and some more since holidays and clock changes may remove windows. */
const WEEKS = 60;

/** Offset from UTC at an instant, in milliseconds. */
export function offsetAt({ first, changes }: Zone, at: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((changes[middle]?.at ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return changes[low - 1]?.offset ?? first;
}

/** Whether a window of `day`, in days since 1970, contains `minute`, counted from the beginning of that day. */
function reaches({ windows, holidays, onHolidays }: Schedule, day: number, minute: number): boolean {
  if (onHolidays !== 'as-usual' && holidays.has(day) !== (onHolidays === 'only')) return false;
  // 1 January 1970 was a Thursday.
  const bit = 1 << ((((day + 3) % 7) + 7) % 7);
  return windows.some(({ days, start, end }) => (days & bit) !== 0 && start <= minute && minute < end);
}

/** @param now epoch milliseconds. */
export function holds(schedule: Schedule, now: number): boolean {
  const local = now + offsetAt(schedule.zone, now);
  const day = Math.floor(local / DAY);
  const minute = Math.floor((local - day * DAY) / MINUTE);
  return reaches(schedule, day, minute) || reaches(schedule, day - 1, minute + DAY_MINUTES);
}

/** Every instant within `days` days at which a window may begin or end, in order. */
function boundaries({ zone, windows }: Schedule, firstDay: number, days: number): number[] {
  const minutes = new Set([0, ...windows.flatMap(({ start, end }) => [start, end % DAY_MINUTES])]);
  const found = new Set<number>();
  for (let day = firstDay; day < firstDay + days; day += 1) {
    for (const minute of minutes) {
      const wall = day * DAY + minute * MINUTE;
      // A clock change may repeat or skip this wall-clock time.
      for (const near of [wall - DAY, wall + DAY]) {
        const at = wall - offsetAt(zone, near);
        if (at + offsetAt(zone, at) === wall) found.add(at);
      }
    }
  }
  const [start, end] = [(firstDay - 1) * DAY, (firstDay + days + 1) * DAY];
  for (const { at } of zone.changes) if (start <= at && at < end) found.add(at);
  return [...found].toSorted((a, b) => a - b);
}

/** The next instant after `now` at which {@link holds} changes; null: never. */
export function nextTurn(schedule: Schedule, now: number): number | null {
  const today = Math.floor((now + offsetAt(schedule.zone, now)) / DAY);
  const held = holds(schedule, now);
  const turn = (firstDay: number, days: number): number | undefined =>
    boundaries(schedule, firstDay, days).find((at) => at > now && holds(schedule, at) !== held);
  for (let week = 0; week < WEEKS; week += 1) {
    const found = turn(today + 7 * week - 1, 9);
    if (found !== undefined) return found;
  }
  const far = schedule.onHolidays === 'as-usual' ? [] : [...schedule.holidays].filter((day) => day > today);
  for (const day of far.toSorted((a, b) => a - b)) {
    const found = turn(day - 1, 4);
    if (found !== undefined) return found;
  }
  return null;
}

/** Anything with dates and a schedule. */
export type Timed = Partial<Pick<Rule | Exception, 'from' | 'until' | 'schedule'>>;

/** The next instant after `now` at which it comes into force or ends; null: never again. */
export function nextChangeOf({ from = -Infinity, until = Infinity, schedule }: Timed, now: number): number | null {
  if (now >= until) return null;
  if (schedule === undefined) return now < from ? from : until === Infinity ? null : until;
  if (now < from && holds(schedule, from)) return from;
  const begin = Math.max(now, from);
  const turn = nextTurn(schedule, begin) ?? Infinity;
  const next = holds(schedule, begin) ? Math.min(turn, until) : turn < until ? turn : Infinity;
  return next === Infinity ? null : next;
}

/**
 * The next instant after `now`, in epoch milliseconds, at which the set of rules and exceptions in force changes; null:
 * never again.
 */
export function nextChange(
  { rules, exceptions, pauses = [] }: Pick<PolicyDocument, 'rules' | 'exceptions' | 'pauses'>,
  now: number,
): number | null {
  let next: number | null = null;
  for (const list of [rules, exceptions, pauses]) {
    for (const entry of list) {
      const change = nextChangeOf(entry, now);
      if (change !== null && (next === null || change < next)) next = change;
    }
  }
  return next;
}
