/**
 * When a policy that denies less may come into force. A file that is written in place is cut short first and grows again,
 * and between two of its rules it cannot be told from a whole one: what it has lost by then may be still to come.
 *
 * A new file in its place is taken for whole: nearly all are written aside and renamed, or swapped by a link.
 */
import { statSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import type { PolicyDocument, Rule } from '../flow.ts';

/** Milliseconds that the file has to be as it is. */
export const SETTLE = 2_000;

type Read = Pick<Config, 'policyOfFile' | 'policyFile'>;

export interface Settling {
  /** Whether `next` may take the place of `before` now; asked again later where it may not. */
  readonly settled: (before: Read, next: Read) => boolean;
}

/** Whether it names less, as a list that is cut short does. A key that is gone has it name more. */
function namesLess(before: Rule, next: Rule): boolean {
  const now: Readonly<Record<string, readonly string[] | undefined>> = { ...next.what };
  return Object.entries(before.what).some(([key, words]: [string, readonly string[] | undefined]) => {
    const kept = now[key];
    if (words === undefined || kept === undefined) return false;
    const all = new Set(kept);
    return words.some((word) => !all.has(word));
  });
}

const denying = ['unlisted', 'catalogue', 'unknownModel', 'rawAddress', 'ech'] as const;

/** Whether rules are gone or name less, or a default no longer denies. */
export function deniesLess(before: PolicyDocument, next: PolicyDocument): boolean {
  const rules = new Map(next.rules.map((rule) => [rule.id, rule]));
  return (
    before.rules.some((rule) => {
      const kept = rules.get(rule.id);
      return kept === undefined || namesLess(rule, kept);
    }) ||
    (before.sanctionedOnly === true && next.sanctionedOnly !== true) ||
    denying.some((key) => before.defaults[key] === 'deny' && next.defaults[key] !== 'deny')
  );
}

/** Which file it is, and what every write changes. */
function stampOf(file: string): { readonly own: string; readonly written: string } {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) return { own: file, written: '' };
  const own = `${found.dev} ${found.ino}`;
  return { own, written: `${own} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` };
}

/**
 * @param now milliseconds of a clock that never goes back.
 * @param file that of the policy in force.
 */
export function createSettling(now: () => number, file: string): Settling {
  let { own: inForce } = stampOf(file);
  let seen = { written: '', since: 0 };
  return {
    settled(before, next) {
      // After it was read: what is written from now on is another stamp.
      const { own, written } = stampOf(next.policyFile);
      const waits = own === inForce && deniesLess(before.policyOfFile, next.policyOfFile);
      if (waits && seen.written !== written) seen = { written, since: now() };
      if (waits && now() - seen.since < SETTLE) return false;
      inForce = own;
      return true;
    },
  };
}
