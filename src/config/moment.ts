/** Dates in a policy: an instant with its offset, or a day that begins at midnight in the file's time zone. */
import { ConfigError } from '../errors.ts';
import { clockFormat, wallClock } from './zone.ts';

/** A date as written; a day needs a time zone to become an instant. */
export type Moment =
  | { readonly kind: 'instant'; readonly at: number }
  | { readonly kind: 'day'; readonly year: number; readonly month: number; readonly day: number };

const day = /^(\d{4})-(\d{2})-(\d{2})$/;
const instant = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,3})?)?(Z|z|[+-]\d{2}:\d{2})?$/;

function parseDay(text: string): Extract<Moment, { kind: 'day' }> | null {
  const [, year, month, date] = (day.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || date === undefined) return null;
  // Date.UTC turns 30 February into 2 March.
  const back = new Date(Date.UTC(year, month - 1, date));
  if (year < 1970 || back.getUTCMonth() !== month - 1 || back.getUTCDate() !== date) {
    throw new ConfigError(`"${text}" is not a calendar date; correct it`);
  }
  return { kind: 'day', year, month, day: date };
}

/** Reads `2026-07-10`, `2026-07-10T08:00Z` or `2026-07-10T08:00:00+02:00`. @throws {ConfigError} */
export function parseMoment(text: string): Moment {
  const whole = parseDay(text);
  if (whole !== null) return whole;
  const [, date, hour, minute, second = '00', zone] = instant.exec(text) ?? [];
  if (date === undefined) {
    throw new ConfigError(`"${text}" is not a date; write 2026-07-10 or 2026-07-10T08:00:00+02:00`);
  }
  parseDay(date);
  if (zone === undefined) throw new ConfigError(`"${text}" has no time zone; add Z or an offset such as +02:00`);
  const at = Date.parse(`${date}T${hour ?? ''}:${minute ?? ''}:${second}${zone.toUpperCase()}`);
  if (Number.isNaN(at) || hour === '24') throw new ConfigError(`"${text}" is not a time of day; correct it`);
  return { kind: 'instant', at };
}

/** An IANA time zone that this system knows. */
export function isTimeZone(name: string): boolean {
  try {
    // Older releases of Node do not accept offsets such as +02:00 as zones.
    return /^[A-Za-z]/.test(name) && clockFormat(name).format(0) !== '';
  } catch {
    return false;
  }
}

/**
 * When days begin: the rules of a policy name few different ones, and each is found by asking a calendar four times.
 */
const begins = new Map<string, number>();
const MOST_DAYS = 4096;

/** The instant in epoch milliseconds; for a day, its beginning, even if clocks skip midnight. */
export function resolveMoment(moment: Moment, timeZone: string): number {
  if (moment.kind === 'instant') return moment.at;
  const midnight = Date.UTC(moment.year, moment.month - 1, moment.day);
  const key = `${timeZone} ${midnight}`;
  const known = begins.get(key);
  if (known !== undefined) return known;
  if (begins.size >= MOST_DAYS) begins.clear();
  const at = beginOf(midnight, timeZone);
  begins.set(key, at);
  return at;
}

/** @param midnight as if it were UTC. */
function beginOf(midnight: number, timeZone: string): number {
  const format = clockFormat(timeZone);
  const aDay = 86_400_000;
  // The offset before and after that midnight; they differ only if the clocks change near it.
  const candidates = [midnight - aDay, midnight + aDay].map((near) => midnight - (wallClock(format, near) - near));
  const real = candidates.filter((at) => wallClock(format, at) === midnight);
  return real.length > 0 ? Math.min(...real) : Math.max(...candidates);
}
