/** Warns of rules and exceptions whose dates, windows and holidays leave no time at which they apply. */
import type { Warning } from '../config/lint.ts';
import type { Config } from '../config/schema.ts';
import { holds, nextChangeOf, offsetAt } from '../decide/schedule.ts';
import type { Exception, Rule, Schedule } from '../flow.ts';

const DAY = 86_400_000;

function moment(at: number): string {
  return new Date(at).toISOString().replace(/(?::00)?\.000Z$/, 'Z');
}

/** The last holiday, such as `2026-12-25`, if all of them are over; null otherwise. */
function lastHoliday({ holidays, onHolidays, zone }: Schedule, now: number): string | null {
  const last = Math.max(...holidays);
  const today = Math.floor((now + offsetAt(zone, now)) / DAY);
  return onHolidays === 'only' && last < today ? new Date(last * DAY).toISOString().slice(0, 10) : null;
}

/** Why it never applies from `now` on, and what to do; null if it does, or has no windows. */
function obstacle({ from = -Infinity, until = Infinity, schedule }: Rule | Exception, now: number): string | null {
  if (schedule === undefined || until <= now) return null;
  const start = Math.max(from, now);
  if (holds(schedule, start) || nextChangeOf({ from, until, schedule }, start) !== null) return null;
  const last = lastHoliday(schedule, now);
  if (last !== null) {
    return `it is for holidays only, and the last of them was ${last}; list the coming ones under "holidays", or remove it`;
  }
  const dates = `from ${from > now ? moment(from) : 'now'} ${until === Infinity ? 'on' : `until ${moment(until)}`}`;
  const words = schedule.onHolidays === 'only' ? 'on any of the holidays' : dates;
  return `no window of it opens ${words}; correct its dates, windows or holidays`;
}

/** @param now epoch milliseconds. */
export function neverInForce({ policyOfFile, policyFile: file }: Config, now: number): Warning[] {
  return (['rule', 'exception'] as const).flatMap((kind) =>
    policyOfFile[`${kind}s`].flatMap((entry, i) => {
      const why = obstacle(entry, now);
      if (why === null) return [];
      return [{ file, path: [`${kind}s`, i], message: `the ${kind} "${entry.id}" will not apply: ${why}` }];
    }),
  );
}
