/** Deadlines of connections, checked together: a timer for each would cost more than everything else here. */
import type { Indexed, IndexedSet } from '../indexed-set.ts';

/** Milliseconds between checks. With more, clients that connected together would be turned away in bursts. */
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

/** The detail to record for a request head that took longer than `within` milliseconds. */
export function lateHead(within: number): string {
  return `no complete request head in ${within} ms`;
}
