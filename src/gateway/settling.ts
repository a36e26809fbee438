/**
 * Decides when a policy that may have lost something comes into force. A file that is written in place is truncated
 * first and then grows, and where a line ends it cannot be told from a complete one: a denying rule may still be
 * missing, or the line that says whom an exception is for.
 *
 * A new file in its place is assumed to be complete: nearly all are written elsewhere and renamed, or swapped by a
 * link.
 */
import type { Config } from '../config/schema.ts';
import { stampOf } from '../config/stamp.ts';
import { statOf } from '../config/stat-of.ts';
import { mayHaveLost } from './lost.ts';

/** Milliseconds for which the file must be unchanged. */
export const SETTLE = 2_000;

type Read = Pick<Config, 'policyOfFile' | 'policyFile'>;

export interface Settling {
  /** Whether `next` may replace `before` now; if not, it is asked again later. */
  readonly settled: (before: Read, next: Read) => boolean;
}

/** The identity of the file, and what every write changes. */
function stateOf(file: string): { readonly own: string; readonly written: string } {
  const found = statOf(file);
  if (found === undefined) return { own: file, written: '' };
  return { own: `${found.dev} ${found.ino}`, written: stampOf(found) };
}

/**
 * @param now monotonic clock, milliseconds.
 * @param file the policy in force.
 */
export function createSettling(now: () => number, file: string): Settling {
  let { own: inForce } = stateOf(file);
  let seen = { written: '', since: 0 };
  return {
    settled(before, next) {
      // Read after the policy, so that a later write changes it.
      const { own, written } = stateOf(next.policyFile);
      const waits = own === inForce && mayHaveLost(before.policyOfFile, next.policyOfFile);
      if (waits && seen.written !== written) seen = { written, since: now() };
      if (waits && now() - seen.since < SETTLE) return false;
      inForce = own;
      return true;
    },
  };
}
