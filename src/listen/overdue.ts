/** Deadlines of connections, checked together: a timer for each would cost more than everything else here. */
import type { Indexed, IndexedSet } from '../indexed-set.ts';

/** Milliseconds between looks for who is overdue: with more, clients that came together would be turned away at a stretch. */
export const OVERDUE_EVERY = 100;

/** Something with a deadline on the monotonic clock. */
export interface Awaited extends Indexed {
  readonly until: number;
}

/** Calls `overdue` for everything past its deadline, repeatedly while it stays in the set. */
export function watchOverdue<T extends Awaited>(set: IndexedSet<T>, overdue: (who: T) => void): NodeJS.Timeout {
  return setInterval(() => {
    const now = performance.now();
    for (const who of set.all()) if (who.until <= now) overdue(who);
  }, OVERDUE_EVERY).unref();
}

/** How records say that of a request, `within` milliseconds. */
export function lateHead(within: number): string {
  return `no complete request head in ${within} ms`;
}
