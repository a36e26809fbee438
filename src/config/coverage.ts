/** Finds rules that never apply, because another rule always takes precedence. */
import type { Effect, Rule, Schedule, What } from '../flow.ts';
import type { Finding } from './problem.ts';

const fields = [
  'domains',
  'products',
  'vendors',
  'tags',
  'risks',
  'channels',
] as const satisfies readonly (keyof What)[];
const strictness = { deny: 0, monitor: 1, allow: 2 } as const satisfies Readonly<Record<Effect, number>>;

type Words = readonly string[] | undefined;

/** Whether one list includes all of the other; a missing list includes everything. */
function within(some: Words, all: Words): boolean {
  return all === undefined || (some?.every((word) => all.includes(word)) ?? false);
}

/** A host needs to match only one of domains and lists; without either, all hosts match. */
function coversHosts(above: What, below: What): boolean {
  if ((above.domains ?? above.lists) === undefined) return true;
  if ((below.domains ?? below.lists) === undefined) return false;
  return within(below.domains ?? [], above.domains ?? []) && within(below.lists ?? [], above.lists ?? []);
}

/** Whether both have the same most specific field, and one covers everything that the other covers. */
function coversWhat(above: What, below: What): boolean {
  const known = (what: What): string | undefined =>
    what.lists === undefined ? fields.find((field) => what[field] !== undefined) : 'domains';
  return (
    known(above) === known(below) &&
    coversHosts(above, below) &&
    fields.every((field) => field === 'domains' || within(below[field], above[field]))
  );
}

/** For the same clients: a rule for a group is stronger than one for everyone, not weaker. */
function coversWhom(above: Rule, below: Rule): boolean {
  return (['groups', 'sites'] as const).every(
    (field) => (above[field] === undefined) === (below[field] === undefined) && within(below[field], above[field]),
  );
}

function shown({ zone, windows, holidays, onHolidays }: Schedule): string {
  return JSON.stringify([zone.name, windows, [...holidays], onHolidays]);
}

function coversWhen(above: Rule, below: Rule): boolean {
  const { schedule } = above;
  const hours = schedule === undefined || (below.schedule !== undefined && shown(schedule) === shown(below.schedule));
  return (
    hours &&
    (above.from ?? -Infinity) <= (below.from ?? -Infinity) &&
    (above.until ?? Infinity) >= (below.until ?? Infinity)
  );
}

function covers(above: Rule, below: Rule): boolean {
  return coversWhat(above.what, below.what) && coversWhom(above, below) && coversWhen(above, below);
}

/** One finding for each rule that never applies. */
export function shadowed(rules: readonly Rule[]): Finding[] {
  return rules.flatMap((rule, i) => {
    for (const [j, other] of rules.entries()) {
      const step = strictness[other.effect] - strictness[rule.effect];
      if (j === i || step > 0 || (step === 0 && j > i) || !covers(other, rule)) continue;
      const why =
        step === 0
          ? `"${other.id}" comes first and covers all of it`
          : `"${other.id}" covers all of it, and ${other.effect} takes precedence`;
      return [{ path: ['rules', i], message: `the rule "${rule.id}" never acts: ${why}; remove one of the two` }];
    }
    return [];
  });
}
