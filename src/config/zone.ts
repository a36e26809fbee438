/** Tabulates when the clocks of a time zone change, so that decisions need no calendar. */
import type { Zone } from '../flow.ts';

/** Range of years; outside it, the offset is that of the nearest year. */
const FIRST = Date.UTC(2010, 0, 1);
const LAST = Date.UTC(2060, 0, 1);
/** Clocks have been set back after a month (Ramadan in Morocco), but never after so few days. */
const STEP = 10 * 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * A format by which {@link wallClock} reads the local time of a zone. Cached by name, since making one takes longer
 * than reading the rule that needs it.
 *
 * @throws {RangeError} if this system does not know the zone.
 */
export function clockFormat(timeZone: string): Intl.DateTimeFormat {
  const format = formats.get(timeZone) ?? createFormat(timeZone);
  formats.set(timeZone, format);
  return format;
}

function createFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
}

/** Local time at an instant, represented as if it were UTC. */
export function wallClock(format: Intl.DateTimeFormat, at: number): number {
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

const known = new Map<string, Zone>();

function tabulate(name: string): Zone {
  const format = clockFormat(name);
  const offset = (at: number): number => wallClock(format, at) - at;
  const first = offset(FIRST);
  const changes: { at: number; offset: number }[] = [];
  let before = first;
  for (let at = FIRST + STEP; at < LAST; at += STEP) {
    const after = offset(at);
    if (after === before) continue;
    let [low, high] = [at - STEP, at];
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000;
      if (offset(middle) === before) low = middle;
      else high = middle;
    }
    changes.push({ at: high, offset: after });
    before = after;
  }
  return { name, first, changes };
}

/**
 * @param name an IANA name that this system knows. The first call for a zone takes milliseconds, later ones are cached.
 */
export function zoneOf(name: string): Zone {
  const zone = known.get(name) ?? tabulate(name);
  known.set(name, zone);
  return zone;
}
