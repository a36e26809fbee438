/** Counts attempts by effect, vendor, rule and user. */
import type { Effect } from '../flow.ts';
import type { Verdict } from './judge.ts';
import { createCounted } from './people.ts';
import type { Counted, People } from './people.ts';
import { createTop } from './top.ts';

export interface Count {
  readonly attempts: number;
  /** Distinct users; an unauthenticated client counts by its address. */
  readonly users: number;
}

export interface VendorRow {
  readonly vendor: string;
  readonly name: string;
  readonly denied: Count;
  readonly monitored: Count;
  readonly allowed: Count;
  /** The most requested hosts, with the number of attempts. */
  readonly hosts: readonly { readonly host: string; readonly attempts: number }[];
}

export interface RuleRow extends Count {
  readonly rule: string;
  readonly effect: Effect;
}

export interface UserRow {
  readonly user: string;
  readonly denied: number;
  readonly monitored: number;
  readonly vendors: Readonly<Record<string, number>>;
}

/** The requested rows of `total`. `atMost`: by how much the count of a row, even a missing one, can be too low. */
export interface Ranked<T> {
  readonly rows: readonly T[];
  readonly total: number;
  readonly atMost: number;
}

export interface Tallied {
  readonly effects: Readonly<Record<Effect, Count>>;
  /** Attempts at raw addresses, for which the name in the ClientHello may decide differently. */
  readonly unnamed: number;
  readonly byVendor: readonly VendorRow[];
  readonly byRule: readonly RuleRow[];
  /** Only users with denied or counted attempts. */
  readonly byUser: Ranked<UserRow>;
}

export interface Tally {
  readonly add: (verdict: Verdict, host: string, user: string) => void;
  readonly read: (most: number) => Tallied;
}

/** Number of distinct users and hosts kept for lists. */
const kept = 50_000;

const effects = ['deny', 'monitor', 'allow'] as const satisfies readonly Effect[];

function byEffect(): Readonly<Record<Effect, Counted>> {
  return { deny: createCounted(), monitor: createCounted(), allow: createCounted() };
}

export function countOf(counted: Counted): Count {
  return { attempts: counted.attempts(), users: counted.users() };
}

/** Sorts by number of attempts, descending. */
export function mostFirst<T>(rows: readonly T[], ...counts: readonly ((row: T) => number)[]): T[] {
  return rows.toSorted(
    (a, b) => counts.map((count) => count(b) - count(a)).find((difference) => difference !== 0) ?? 0,
  );
}

interface OfVendor {
  readonly name: string;
  readonly counts: Readonly<Record<Effect, Counted>>;
  readonly hosts: Map<string, number>;
}

/** Maximum number of hosts counted per vendor: wildcards in the catalogue cover any number. */
const hostsOfVendor = 200;

export function createTally(people: People): Tally {
  const all = byEffect();
  let unnamed = 0;
  const vendors = new Map<string, OfVendor>();
  const rules: Readonly<Record<Effect, Map<string, Counted>>> = {
    deny: new Map(),
    monitor: new Map(),
    allow: new Map(),
  };
  const users = createTop({
    limit: kept,
    create: () => ({ denied: 0, monitored: 0, vendors: new Map<string, number>() }),
    count: ({ denied, monitored }) => denied + monitored,
  });

  const vendorOf = (id: string, name: string): OfVendor => {
    const known = vendors.get(id);
    if (known !== undefined) return known;
    const made = { name, counts: byEffect(), hosts: new Map<string, number>() };
    vendors.set(id, made);
    return made;
  };

  const ruleOf = (rule: string, effect: Effect): Counted => {
    const known = rules[effect].get(rule);
    if (known !== undefined) return known;
    const counted = createCounted();
    rules[effect].set(rule, counted);
    return counted;
  };

  return {
    add({ effect, rule, service, unnamed: bare }, host, user) {
      const person = people.number(user);
      all[effect].add(person);
      if (bare) unnamed += 1;
      ruleOf(rule, effect).add(person);
      if (service !== null) {
        const { counts, hosts } = vendorOf(service.vendor, service.vendorName);
        counts[effect].add(person);
        const before = hosts.get(host);
        if (before !== undefined || hosts.size < hostsOfVendor) hosts.set(host, (before ?? 0) + 1);
      }
      if (effect === 'allow') return;
      const own = users.at(user);
      if (effect === 'deny') own.denied += 1;
      else own.monitored += 1;
      const vendor = service?.vendor ?? '';
      if (vendor !== '') own.vendors.set(vendor, (own.vendors.get(vendor) ?? 0) + 1);
    },

    read: (most) => ({
      effects: { deny: countOf(all.deny), monitor: countOf(all.monitor), allow: countOf(all.allow) },
      unnamed,
      byVendor: mostFirst(
        Array.from(vendors, ([vendor, { name, counts, hosts }]) => ({
          vendor,
          name,
          denied: countOf(counts.deny),
          monitored: countOf(counts.monitor),
          allowed: countOf(counts.allow),
          hosts: mostFirst(
            Array.from(hosts, ([host, attempts]) => ({ host, attempts })),
            ({ attempts }) => attempts,
          ).slice(0, 5),
        })),
        ({ denied }) => denied.attempts,
        ({ monitored }) => monitored.attempts,
        ({ allowed }) => allowed.attempts,
      ),
      byRule: effects.flatMap((effect) =>
        mostFirst(
          Array.from(rules[effect], ([rule, counted]) => ({ rule, effect, ...countOf(counted) })),
          ({ attempts }) => attempts,
        ),
      ),
      byUser: {
        rows: mostFirst(
          users.list(kept).map(([user, { denied, monitored, vendors: of }]) => ({
            user,
            denied,
            monitored,
            vendors: Object.fromEntries(mostFirst([...of], ([, attempts]) => attempts)),
          })),
          ({ denied }) => denied,
          ({ monitored }) => monitored,
        ).slice(0, most),
        total: users.size(),
        atMost: users.lost(),
      },
    }),
  };
}
