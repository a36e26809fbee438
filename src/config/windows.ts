/** Weekly windows as written: `mon-fri 08:00-18:00`, `fri 22:00-06:00`, `sat,sun`, `daily 12:00-13:00`. */
import { ConfigError } from '../errors.ts';
import type { Window } from '../flow.ts';
import { nearest } from './nearest.ts';

const short = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const long = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const DAY_MINUTES = 1_440;
const cure = 'write days and hours such as mon-fri 08:00-18:00, sat,sun or daily 22:00-06:00';

function dayOf(word: string): number {
  const index = Math.max(
    short.findIndex((day) => day === word),
    long.findIndex((day) => day === word),
  );
  if (index >= 0) return index;
  const near = nearest(word, [...short, ...long, 'daily']);
  throw new ConfigError(`"${word}" is not a day of the week; ${near === null ? cure : `did you mean "${near}"?`}`);
}

/** `mon-fri`; `sat-mon` wraps around the week. */
function daysOf(text: string): number {
  if (text === 'daily') return 0b111_1111;
  let days = 0;
  for (const part of text.split(',')) {
    const [first = '', last = first, ...more] = part.split('-');
    if (more.length > 0) throw new ConfigError(`"${part}" is not a range of days; ${cure}`);
    const end = dayOf(last);
    for (let day = dayOf(first); ; day = (day + 1) % 7) {
      days |= 1 << day;
      if (day === end) break;
    }
  }
  return days;
}

function minuteOf(text: string, most: number): number {
  const [, hour = '', minute = ''] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const at = hour === '' ? NaN : Number(hour) * 60 + Number(minute);
  if (Number.isNaN(at) || Number(minute) > 59 || at > most) {
    throw new ConfigError(`"${text}" is not a time of day; write 00:00 to ${most === DAY_MINUTES ? '24:00' : '23:59'}`);
  }
  return at;
}

/** @throws {ConfigError} */
export function parseWindow(text: string): Window {
  const words = text.trim().toLowerCase().split(/\s+/);
  const [first = '', second] = words;
  if (words.length > 2) throw new ConfigError(`"${text}" is not a time window; ${cure}`);
  const hoursOnly = second === undefined && first.includes(':');
  const days = hoursOnly ? daysOf('daily') : daysOf(first);
  const hours = hoursOnly ? first : second;
  if (hours === undefined) return { days, start: 0, end: DAY_MINUTES };
  const [begins = '', ends, ...more] = hours.split('-');
  if (ends === undefined || more.length > 0) throw new ConfigError(`"${hours}" is not a range of hours; ${cure}`);
  const start = minuteOf(begins, DAY_MINUTES - 1);
  const end = minuteOf(ends, DAY_MINUTES);
  if (start === end) throw new ConfigError(`"${hours}" has no length; for whole days write only the days`);
  // 22:00-06:00 ends on the next morning.
  return { days, start, end: end > start ? end : end + DAY_MINUTES };
}
