/** The differences between two policy files, part by part. */
import type { PolicyDocument } from '../flow.ts';
import { partsOf } from './policy-words.ts';
import type { Part } from './policy-words.ts';

export interface PolicyChange {
  readonly change: 'added' | 'removed' | 'changed' | 'moved';
  /** rule, exception, group, assistant, default, … */
  readonly kind: string;
  readonly id: string;
  /** One sentence without a full stop. */
  readonly text: string;
  /** For a changed part: its changed fields, by their names in the file. */
  readonly facts: Readonly<Record<string, { readonly before: string | null; readonly after: string | null }>>;
}

function keyOf({ kind, id }: Part): string {
  return `${kind} ${id}`;
}

function changed(before: Part, after: Part): PolicyChange | null {
  const names = [...new Set([...before.facts.keys(), ...after.facts.keys()])];
  const facts = names.flatMap((name) => {
    const [old, now] = [before.facts.get(name) ?? null, after.facts.get(name) ?? null];
    return old === now ? [] : [[name, { before: old, after: now }] as const];
  });
  if (facts.length === 0) return null;
  const words = facts.map(([name, { before: old, after: now }]) => {
    const named = name === 'value' ? '' : `${name} `;
    if (now === null) return `${named}${old ?? ''} is gone`;
    return old === null ? `now with ${named}${now}` : `${named}${now}, was ${old}`;
  });
  return {
    change: 'changed',
    kind: after.kind,
    id: after.id,
    text: words.join('; '),
    facts: Object.fromEntries(facts),
  };
}

/** Rules that moved: at equal rank the order in the file decides, so they may now win or lose. */
function moved(before: readonly Part[], after: readonly Part[]): PolicyChange[] {
  const rules = (parts: readonly Part[], others: readonly Part[]): string[] => {
    const known = new Set(others.map(keyOf));
    return parts.filter((part) => part.kind === 'rule' && known.has(keyOf(part))).map(({ id }) => id);
  };
  const [old, now] = [rules(before, after), rules(after, before)];
  return now.flatMap((id, place) => {
    if (old[place] === id || old.indexOf(id) > place) return [];
    const next = now[place + 1];
    const text = next === undefined ? 'now last' : `now before ${next}`;
    return [{ change: 'moved' as const, kind: 'rule', id, text, facts: {} }];
  });
}

export function policyChanges(before: PolicyDocument, after: PolicyDocument): readonly PolicyChange[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  const known = new Map(old.map((part) => [keyOf(part), part]));
  const left = new Set(now.map(keyOf));
  const whole = (change: 'added' | 'removed', { kind, id, says }: Part): PolicyChange => ({
    change,
    kind,
    id,
    text: says,
    facts: {},
  });
  return [
    ...old.filter((part) => !left.has(keyOf(part))).map((part) => whole('removed', part)),
    ...now.flatMap((part) => {
      const earlier = known.get(keyOf(part));
      if (earlier === undefined) return [whole('added', part)];
      const difference = changed(earlier, part);
      return difference === null ? [] : [difference];
    }),
    ...moved(old, now),
  ];
}
