/**
 * Whether a policy may have lost something compared with the one before it: a rule, an exception, or a condition of
 * one. In doubt it may have, which costs only a delay. A policy that denies more, and lets through nothing more, has
 * lost nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Exception, PolicyDocument, Rule, What } from '../flow.ts';

type Words = readonly string[] | undefined;

/** A condition that is left out matches everything. */
function fitsAll(wide: Words, narrow: Words): boolean {
  if (wide === undefined) return true;
  if (narrow === undefined) return false;
  const all = new Set(wide);
  return narrow.every((word) => all.has(word));
}

/** A host needs to match only one of the two. */
function hosts({ domains, lists }: What): Words {
  if (domains === undefined && lists === undefined) return undefined;
  return [...(domains ?? []), ...(lists ?? []).map((id) => `list ${id}`)];
}

const conditions = ['vendors', 'products', 'channels', 'tags', 'risks'] as const;

type Entry = Pick<Rule | Exception, 'what' | 'groups' | 'sites' | 'from' | 'until' | 'schedule'>;

/** Whether `wide` applies to everything that `narrow` applies to, for the same clients and times. */
function covers(wide: Entry, narrow: Entry): boolean {
  return (
    conditions.every((key) => fitsAll(wide.what[key], narrow.what[key])) &&
    fitsAll(hosts(wide.what), hosts(narrow.what)) &&
    fitsAll(wide.groups, narrow.groups) &&
    fitsAll(wide.sites, narrow.sites) &&
    (wide.from ?? -Infinity) <= (narrow.from ?? -Infinity) &&
    (wide.until ?? Infinity) >= (narrow.until ?? Infinity) &&
    (wide.schedule === undefined || isDeepStrictEqual(wide.schedule, narrow.schedule))
  );
}

function byId<T extends { readonly id: string }>(entries: readonly T[]): ReadonlyMap<string, T> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}

function same(old: Entry, entry: Entry): boolean {
  return covers(old, entry) && covers(entry, old);
}

/** Whether a rule denies as much as before, or lets through no more. */
function ruleHolds(old: Rule | undefined, rule: Rule | undefined): boolean {
  if (rule === undefined) return false;
  if (rule.effect !== 'deny') return old?.effect === rule.effect && same(old, rule);
  if (rule.letAccountCallsPass === true && old?.letAccountCallsPass !== true) return false;
  return old?.effect !== 'deny' || covers(rule, old);
}

function entriesHold(before: PolicyDocument, next: PolicyDocument): boolean {
  const rulesBefore = byId(before.rules);
  const rules = byId(next.rules);
  const exceptionsBefore = byId(before.exceptions);
  const exceptions = byId(next.exceptions);
  const granted = (id: string): boolean => {
    const [old, is] = [exceptionsBefore.get(id), exceptions.get(id)];
    return old !== undefined && is !== undefined && same(old, is);
  };
  return (
    [...new Set([...rulesBefore.keys(), ...rules.keys()])].every((id) =>
      ruleHolds(rulesBefore.get(id), rules.get(id)),
    ) && [...new Set([...exceptionsBefore.keys(), ...exceptions.keys()])].every(granted)
  );
}

type Named = Readonly<Record<string, unknown>>;

/** Rules change meaning with the groups, sites, classes and lists that they name. No old rule names a new one. */
function namesHold(before: PolicyDocument, next: PolicyDocument): boolean {
  const kept = (was: Named = {}, is: Named = {}): boolean =>
    Object.entries(was).every(([id, named]) => isDeepStrictEqual(named, is[id]));
  const lists = ({ lists = [] }: PolicyDocument): Named => Object.fromEntries(lists.map((list) => [list.id, list]));
  const networks = ({ sites = {} }: PolicyDocument): Named =>
    Object.fromEntries(Object.entries(sites).map(([id, site]) => [id, site.networks]));
  return (
    kept(before.groups, next.groups) &&
    kept(before.riskClasses, next.riskClasses) &&
    kept(networks(before), networks(next)) &&
    kept(lists(before), lists(next))
  );
}

const effects = ['unlisted', 'catalogue', 'unknownModel', 'rawAddress', 'ech'] as const;

function defaultsHold(before: PolicyDocument, next: PolicyDocument): boolean {
  return (
    (before.sanctionedOnly !== true || next.sanctionedOnly === true) &&
    fitsAll(next.defaults.echPublicNames ?? [], before.defaults.echPublicNames ?? []) &&
    effects.every((key) => next.defaults[key] === 'deny' || next.defaults[key] === before.defaults[key])
  );
}

export function mayHaveLost(before: PolicyDocument, next: PolicyDocument): boolean {
  return !(entriesHold(before, next) && namesHold(before, next) && defaultsHold(before, next));
}
