/** Rules and exceptions in one form, and what makes one go before another. */
import type { Client, Effect, Exception, Hostname, PolicyDocument, Rule, Schedule, Service, What } from '../flow.ts';
import { holds } from './schedule.ts';

interface EntryBase {
  readonly id: string;
  readonly what: What;
  readonly groups: readonly string[] | null;
  /** Epoch milliseconds, inclusive; -Infinity: from always. */
  readonly from: number;
  /** Epoch milliseconds, exclusive; Infinity: for ever. */
  readonly until: number;
  readonly schedule: Schedule | null;
  readonly reason: string;
  readonly effect: Effect;
  /** Position among all of its kind, the strongest first. */
  readonly order: number;
}

export type Entry =
  (EntryBase & { readonly kind: 'rule'; readonly rule: Rule }) | (EntryBase & { readonly kind: 'exception' });

type Unordered = Omit<EntryBase, 'order'>;

/** One host that is judged. */
export interface Subject {
  readonly host: Hostname;
  readonly service: Service | null;
  /** Only entries that name vendors are about it: the service is seen as another vendor's, see {@link besides}. */
  readonly beside?: boolean;
}

const nobody: readonly Subject[] = [];

/**
 * The same host once more for each other vendor that has a part in it: the one that runs the host and the one whose
 * model answers. What holds for a vendor holds on every axis, so that an allowed cloud does not lift the denial of a
 * model that it resells.
 */
export function besides({ host, service }: Subject): readonly Subject[] {
  if (service === null) return nobody;
  const { operator, model } = service;
  if ((operator ?? model ?? null) === null) return nobody;
  const others = [operator, model].filter((vendor) => typeof vendor === 'string' && vendor !== service.vendor);
  return [...new Set(others)].map((vendor) => ({
    host,
    service: { ...service, vendor: vendor ?? service.vendor },
    beside: true,
  }));
}

/** Whether the entry can be about the subject at all. */
export function isAbout({ what }: Entry, { service, beside = false }: Subject): boolean {
  return (!beside || what.vendors !== undefined) && fitsService(what, service);
}

/** The fields of a rule, from the most to the least specific; a rule is known by the first that it has. */
const fields = ['domains', 'products', 'vendors', 'tags', 'channels'] as const satisfies readonly (keyof What)[];
export type Field = (typeof fields)[number];

/** Null: the rule is about everything. */
export function fieldOf(what: What): Field | null {
  return fields.find((field) => what[field] !== undefined) ?? null;
}

const strictness = { deny: 0, monitor: 1, allow: 2 } as const satisfies Readonly<Record<Effect, number>>;

/** What the policy says, or a denial where it says something that nobody foresaw: doubt never lets through. */
export function readEffect(effect: Effect, reason: string): { readonly effect: Effect; readonly reason: string } {
  return Object.hasOwn(strictness, effect) ? { effect, reason } : { effect: 'deny', reason: 'internal' };
}

/** The first of the strictest: what is judged on several axes gets the strictest of their effects. */
export function strictest<T extends { readonly effect: Effect }>(all: readonly T[]): T | null {
  return all.reduce<T | null>((best, one) => {
    return best === null || strictness[one.effect] < strictness[best.effect] ? one : best;
  }, null);
}

/** A group goes before everyone; at equal rank deny before monitor before allow; then the order of the file. */
function byStrength(a: Unordered, b: Unordered): number {
  const whom = Number(a.groups === null) - Number(b.groups === null);
  return whom === 0 ? strictness[a.effect] - strictness[b.effect] : whom;
}

/** Sorting is stable, so that what is of equal strength stays in the order of the file. */
function ordered<T extends Unordered>(entries: readonly T[]): (T & { readonly order: number })[] {
  return entries.toSorted(byStrength).map((entry, order) => ({ ...entry, order }));
}

function common({ id, what, groups, from, until, schedule }: Rule | Exception) {
  return {
    id,
    what,
    groups: groups ?? null,
    from: from ?? -Infinity,
    until: until ?? Infinity,
    schedule: schedule ?? null,
  };
}

/** The rules, the strongest first. */
export function ruleEntries({ rules }: PolicyDocument): Entry[] {
  return ordered(
    rules.map((rule) => ({ ...common(rule), ...readEffect(rule.effect, rule.reason), kind: 'rule' as const, rule })),
  );
}

/** The exceptions, the strongest first. */
export function exceptionEntries({ exceptions }: PolicyDocument): Entry[] {
  return ordered(
    exceptions.map((exception) => ({
      ...common(exception),
      reason: exception.reason,
      effect: 'allow' as const,
      kind: 'exception' as const,
    })),
  );
}

export function inForce({ from, until, schedule }: Entry, now: number): boolean {
  return from <= now && now < until && (schedule === null || holds(schedule, now));
}

export function isFor({ groups }: Entry, client: Client): boolean {
  return groups === null || groups.some((group) => client.groups.has(group));
}

/** Whether the fields about the service hold; those about the host are the index's business. */
function fitsService({ products, vendors, tags, channels }: What, service: Service | null): boolean {
  if (service === null) return (products ?? vendors ?? tags ?? channels) === undefined;
  return (
    (products?.includes(productKey(service)) ?? true) &&
    (vendors?.includes(service.vendor) ?? true) &&
    (tags?.some((tag) => service.tags.includes(tag)) ?? true) &&
    (channels?.includes(service.channel) ?? true)
  );
}

export function productKey({ vendor, product }: Service): string {
  return `${vendor}/${product}`;
}

/** `example.com`: the name and everything below it; `=example.com`: only the name. */
export function readPattern(text: string): { readonly match: 'suffix' | 'exact'; readonly host: string } {
  return text.startsWith('=') ? { match: 'exact', host: text.slice(1) } : { match: 'suffix', host: text };
}
