/** Deadlines of all who are awaited, looked at together: a timer for each connection costs more than all else here. */
import type { Enrolled, Roll } from '../roll.ts';

/** Milliseconds between looks for who is overdue: with more, clients that came together would be turned away at a stretch. */
export const OVERDUE_EVERY = 100;

/** Who is awaited until a moment of the monotonic clock. */
export interface Awaited extends Enrolled {
  readonly until: number;
}

/** Calls `overdue` with everyone whose time is over, again and again for as long as they stay on the roll. */
export function watchOverdue<T extends Awaited>(roll: Roll<T>, overdue: (who: T) => void): NodeJS.Timeout {
  return setInterval(() => {
    const now = performance.now();
    for (const who of roll.all()) if (who.until <= now) overdue(who);
  }, OVERDUE_EVERY).unref();
}

/** How records say that of a request, `within` milliseconds. */
export function lateHead(within: number): string {
  return `no complete request head in ${within} ms`;
}
