/**
 * Weekly windows: whether one holds at an instant, and when that changes. Pure arithmetic on the table of the time
 * zone: no calendar is asked while a decision is made.
 *
 * The clocks on the wall decide. Where they skip an hour in spring, what lies in it does not happen; where they show
 * an hour twice in autumn, it holds both times.
 */
import type { Exception, PolicyDocument, Rule, Schedule, Zone } from '../flow.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const DAY_MINUTES = 1_440;
/** How far the next change is looked for day by day: a year, and the weeks that holidays or the clocks take away. */
const WEEKS = 60;

/** Milliseconds that the clocks are ahead of UTC at an instant. */
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

/** Whether a window of the day, counted from 1970, reaches the minute, counted from the midnight it begins with. */
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

/** Every instant in some days at which a window may begin or end, in order. */
function boundaries({ zone, windows }: Schedule, firstDay: number, days: number): number[] {
  const minutes = new Set([0, ...windows.flatMap(({ start, end }) => [start, end % DAY_MINUTES])]);
  const found = new Set<number>();
  for (let day = firstDay; day < firstDay + days; day += 1) {
    for (const minute of minutes) {
      const wall = day * DAY + minute * MINUTE;
      // The clocks may show it twice, or never.
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

/** The next instant after `now` at which a window begins or ends; null: never. */
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

/** Whatever is in force between two dates, and in some hours of them. */
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
 * The next instant after `now`, epoch milliseconds, at which the set of rules and exceptions in force changes; null:
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
