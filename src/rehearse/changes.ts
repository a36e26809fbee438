/** Attempts that another policy would decide differently, by kind of change, with examples. */
import type { Effect } from '../flow.ts';
import { inOnePiece } from '../in-one-piece.ts';
import type { Verdict } from './judge.ts';
import { createCounted } from './people.ts';
import type { Counted, People } from './people.ts';
import { countOf, mostFirst } from './tally.ts';
import type { Count, Ranked } from './tally.ts';
import { createTop } from './top.ts';
import type { Top } from './top.ts';

export const changeKinds = ['newlyBlocked', 'newlyAllowed', 'newlyMonitored', 'noLongerMonitored'] as const;
export type ChangeKind = (typeof changeKinds)[number];

export interface Change extends Count {
  readonly byVendor: readonly (Count & { readonly vendor: string | null })[];
  /** By the rule that decides now and the one that would decide. */
  readonly byRule: readonly (Count & { readonly from: string; readonly to: string })[];
  readonly byUser: Ranked<{ readonly user: string; readonly attempts: number }>;
  readonly examples: readonly Example[];
}

export interface Example {
  /** ISO 8601. */
  readonly at: string;
  readonly user: string;
  readonly client: string;
  readonly host: string;
  readonly from: { readonly effect: Effect; readonly rule: string };
  readonly to: { readonly effect: Effect; readonly rule: string };
}

export type Changed = Readonly<Record<ChangeKind, Change>>;

export interface Changes {
  readonly add: (from: Verdict, to: Verdict, what: Pick<Example, 'user' | 'client' | 'host'>, at: number) => void;
  readonly read: (most: number) => Changed;
}

const examplesShown = 5;
const kept = 50_000;

function kindOf(from: Effect, to: Effect): ChangeKind | null {
  if (from === to) return null;
  if (to === 'deny') return 'newlyBlocked';
  if (from === 'deny') return 'newlyAllowed';
  return to === 'monitor' ? 'newlyMonitored' : 'noLongerMonitored';
}

interface Kept {
  readonly all: Counted;
  readonly vendors: Map<string | null, Counted>;
  readonly rules: Map<string, { readonly from: string; readonly to: string; readonly counted: Counted }>;
  readonly users: Top<{ attempts: number }>;
  /** At most one per host, so that examples differ. */
  readonly examples: Map<string, Example>;
}

function create(): Kept {
  return {
    all: createCounted(),
    vendors: new Map(),
    rules: new Map(),
    users: createTop({ limit: kept, create: () => ({ attempts: 0 }), count: ({ attempts }) => attempts }),
    examples: new Map(),
  };
}

function read({ all, vendors, rules, users, examples }: Kept, most: number): Change {
  const attempts = (row: Count): number => row.attempts;
  return {
    ...countOf(all),
    byVendor: mostFirst(
      Array.from(vendors, ([vendor, counted]) => ({ vendor, ...countOf(counted) })),
      attempts,
    ),
    byRule: mostFirst(
      Array.from(rules.values(), ({ from, to, counted }) => ({ from, to, ...countOf(counted) })),
      attempts,
    ),
    byUser: {
      rows: users.list(most).map(([user, counted]) => ({ user, attempts: counted.attempts })),
      total: users.size(),
      atMost: users.lost(),
    },
    examples: [...examples.values()],
  };
}

export function createChanges(people: People): Changes {
  const kinds: Readonly<Record<ChangeKind, Kept>> = {
    newlyBlocked: create(),
    newlyAllowed: create(),
    newlyMonitored: create(),
    noLongerMonitored: create(),
  };
  return {
    add(from, to, { user, client, host }, at) {
      const kind = kindOf(from.effect, to.effect);
      if (kind === null) return;
      const { all, vendors, rules, users, examples } = kinds[kind];
      const person = people.number(user);
      all.add(person);
      const vendor = (to.service ?? from.service)?.vendor ?? null;
      const ofVendor = vendors.get(vendor) ?? createCounted();
      vendors.set(vendor, ofVendor);
      ofVendor.add(person);
      const key = `${from.rule} ${to.rule}`;
      const ofRule = rules.get(key) ?? { from: from.rule, to: to.rule, counted: createCounted() };
      rules.set(key, ofRule);
      ofRule.counted.add(person);
      users.at(user).attempts += 1;
      if (examples.size >= examplesShown || examples.has(host)) return;
      examples.set(host, {
        at: new Date(at).toISOString(),
        user: inOnePiece(user),
        client: inOnePiece(client),
        host,
        from: { effect: from.effect, rule: from.rule },
        to: { effect: to.effect, rule: to.rule },
      });
    },
    read: (most) => ({
      newlyBlocked: read(kinds.newlyBlocked, most),
      newlyAllowed: read(kinds.newlyAllowed, most),
      newlyMonitored: read(kinds.newlyMonitored, most),
      noLongerMonitored: read(kinds.noLongerMonitored, most),
    }),
  };
}
