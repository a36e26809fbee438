/** Finds the entry of the policy that decides about a host: steps 1 to 5 of the precedence in `decide.ts`. */
import type { Client } from '../flow.ts';
import type { Policy } from './compile.ts';
import { fieldOf, strictest } from './entry.ts';
import type { Entry } from './entry.ts';
import { lifted } from './pauses.ts';
import { strongest } from './strongest.ts';
import { besides } from './subject.ts';
import type { Subject } from './subject.ts';

export function isSpecific(entry: Entry): boolean {
  return fieldOf(entry.what) !== null;
}

/** The rule or exception that decides, considering every vendor with a part in the service; null: a default decides. */
export function decidingEntry(policy: Policy, subject: Subject, client: Client, now: number): Entry | null {
  const others = besides(subject, policy.risksOf);
  const own = ofOne(policy, subject, client, now);
  if (others.length === 0) return own;
  return strictest([own, ...others.map((one) => ofOne(policy, one, client, now))].filter((found) => found !== null)); // 5
}

function ofOne(policy: Policy, subject: Subject, client: Client, now: number): Entry | null {
  const exception = strongest(policy.exceptions, subject, client, now); // 1
  if (exception !== null) return exception;
  const rule = strongest(policy.rules, subject, client, now); // 2, 3, 4
  return rule === null ? null : lifted(policy.pauses, rule, subject.service, now);
}
