/**
 * When a policy that may have lost something comes into force. A file that is written in place is cut short first and grows again,
 * and where a line ends it cannot be told from a whole one: the rule that denies may still be to come, or the line that
 * says whom an exception is for.
 *
 * A new file in its place is taken for whole: nearly all are written aside and renamed, or swapped by a link.
 */
import type { Config } from '../config/schema.ts';
import { stampOf } from '../config/stamp.ts';
import { statOf } from '../config/stat-of.ts';
import { mayHaveLost } from './lost.ts';

/** Milliseconds that the file has to be as it is. */
export const SETTLE = 2_000;

type Read = Pick<Config, 'policyOfFile' | 'policyFile'>;

export interface Settling {
  /** Whether `next` may take the place of `before` now; asked again later where it may not. */
  readonly settled: (before: Read, next: Read) => boolean;
}

/** Which file it is, and what every write changes. */
function stateOf(file: string): { readonly own: string; readonly written: string } {
  const found = statOf(file);
  if (found === undefined) return { own: file, written: '' };
  return { own: `${found.dev} ${found.ino}`, written: stampOf(found) };
}

/**
 * @param now milliseconds of a clock that never goes back.
 * @param file that of the policy in force.
 */
export function createSettling(now: () => number, file: string): Settling {
  let { own: inForce } = stateOf(file);
  let seen = { written: '', since: 0 };
  return {
    settled(before, next) {
      // After it was read: what is written from now on is another stamp.
      const { own, written } = stateOf(next.policyFile);
      const waits = own === inForce && mayHaveLost(before.policyOfFile, next.policyOfFile);
      if (waits && seen.written !== written) seen = { written, since: now() };
      if (waits && now() - seen.since < SETTLE) return false;
      inForce = own;
      return true;
    },
  };
}
