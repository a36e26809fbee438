/** Rules and exceptions in a common form, and their precedence. */
import type { Client, Effect, Exception, Pause, PolicyDocument, Rule, Schedule, What } from '../flow.ts';
import { holds } from './schedule.ts';
import { productKey } from './subject.ts';
import type { Subject } from './subject.ts';

interface EntryBase {
  readonly id: string;
  readonly what: What;
  readonly groups: readonly string[] | null;
  readonly sites: readonly string[] | null;
  /** Epoch milliseconds, inclusive; -Infinity if unlimited. */
  readonly from: number;
  /** Epoch milliseconds, exclusive; Infinity if unlimited. */
  readonly until: number;
  readonly schedule: Schedule | null;
  readonly reason: string;
  readonly effect: Effect;
  /** Position among all entries of its kind, the strongest first. */
  readonly order: number;
  /** The pause that lifted its denial: see `pauses.ts`. */
  readonly pause?: Pause;
}

export type Entry =
  (EntryBase & { readonly kind: 'rule'; readonly rule: Rule }) | (EntryBase & { readonly kind: 'exception' });

type Unordered = Omit<EntryBase, 'order'>;

/** Whether the fields about the service match the subject. */
export function isAbout({ what }: Pick<Entry, 'what'>, subject: Subject): boolean {
  return (subject.beside !== true || (what.vendors ?? what.risks) !== undefined) && fitsService(what, subject);
}

/** The fields of a rule from the most to the least specific; the first that a rule has determines its level. */
const fields = [
  'domains',
  'products',
  'vendors',
  'tags',
  'risks',
  'channels',
] as const satisfies readonly (keyof What)[];
export type Field = (typeof fields)[number];

/** Null: the rule is about everything. */
export function fieldOf(what: What): Field | null {
  // A list counts as domains.
  if (what.lists !== undefined) return 'domains';
  return fields.find((field) => what[field] !== undefined) ?? null;
}

const strictness = { deny: 0, monitor: 1, allow: 2 } as const satisfies Readonly<Record<Effect, number>>;

/** The effect as in the policy; an unknown one counts as a denial. */
export function readEffect(effect: Effect, reason: string): { readonly effect: Effect; readonly reason: string } {
  return Object.hasOwn(strictness, effect) ? { effect, reason } : { effect: 'deny', reason: 'internal' };
}

/** The first with the strictest effect, which decides if several vendors have a part in a service. */
export function strictest<T extends { readonly effect: Effect }>(all: readonly T[]): T | null {
  return all.reduce<T | null>((best, one) => {
    return best === null || strictness[one.effect] < strictness[best.effect] ? one : best;
  }, null);
}

/** Smaller is more specific: a group at a site, a group or a site, everyone. */
export function whomRank({ groups, sites }: Pick<EntryBase, 'groups' | 'sites'>): 0 | 1 | 2 {
  if (groups !== null && sites !== null) return 0;
  return groups === null && sites === null ? 2 : 1;
}

/** Compares by whom the entries are for, and then by effect: deny before monitor before allow. */
function byStrength(a: Unordered, b: Unordered): number {
  const whom = whomRank(a) - whomRank(b);
  return whom === 0 ? strictness[a.effect] - strictness[b.effect] : whom;
}

/** Sorting is stable, so entries of equal strength keep their order in the file. */
function ordered<T extends Unordered>(entries: readonly T[]): (T & { readonly order: number })[] {
  return entries.toSorted(byStrength).map((entry, order) => ({ ...entry, order }));
}

function common({ id, what, groups, sites, from, until, schedule }: Rule | Exception) {
  return {
    id,
    what,
    groups: groups ?? null,
    sites: sites ?? null,
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

/** Without groups and sites it is for everyone; with both, the client must be in one of each. */
export function isFor({ groups, sites }: Pick<Entry, 'groups' | 'sites'>, client: Client): boolean {
  return isAmong(groups, client) && isAmong(sites, client);
}

function isAmong(ids: readonly string[] | null, { groups }: Client): boolean {
  return ids === null || ids.some((id) => groups.has(id));
}

/** Whether the fields about the service match. The index matches those about the host. */
function fitsService({ products, vendors, tags, risks, channels }: What, subject: Subject): boolean {
  const { service } = subject;
  if (service === null) return (products ?? vendors ?? tags ?? risks ?? channels) === undefined;
  return (
    (products?.includes(productKey(service)) ?? true) &&
    (vendors?.includes(service.vendor) ?? true) &&
    (tags?.some((tag) => service.tags.includes(tag)) ?? true) &&
    (risks?.some((risk) => subject.risks.includes(risk)) ?? true) &&
    (channels?.includes(service.channel) ?? true)
  );
}

/** The pattern that covers the host most specifically; null if none does. */
export function closest(patterns: readonly string[], host: string): { pattern: string; distance: number } | null {
  let best: { pattern: string; distance: number } | null = null;
  for (const pattern of patterns) {
    const far = distance(pattern, host);
    if (far !== null && (best === null || far < best.distance)) best = { pattern, distance: far };
  }
  return best;
}

/** Smaller is more specific: exact, then the longest suffix. */
function distance(pattern: string, host: string): number | null {
  const { match, host: name } = readPattern(pattern);
  if (name === host) return match === 'exact' ? -Infinity : -name.length;
  return match === 'suffix' && host.endsWith(`.${name}`) ? -name.length : null;
}

/** `example.com`: the name and its subdomains; `=example.com`: only the name. */
export function readPattern(text: string): { readonly match: 'suffix' | 'exact'; readonly host: string } {
  return text.startsWith('=') ? { match: 'exact', host: text.slice(1) } : { match: 'suffix', host: text };
}
