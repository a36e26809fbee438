/**
 * Warns of rules and exceptions that cover more than was probably meant: nearly the whole catalogue, or every other
 * host.
 */
import type { Exception, PolicyDocument, Rule, Vendor } from '../flow.ts';
import type { Finding } from './problem.ts';
import { reachable } from './reach.ts';

/** Fraction of the catalogue from which a denial for everyone should be a mode instead. */
const NEARLY_ALL = 0.9;
/** With fewer products, a single rule may well deny all. */
const ENOUGH_PRODUCTS = 20;

interface Given {
  readonly policy: PolicyDocument;
  readonly vendors: readonly Vendor[];
}

/** Whether it covers nearly every service, for everyone. */
function isWide({ what, groups, sites }: Rule | Exception, { policy, vendors }: Given): boolean {
  if ((what.domains ?? what.lists ?? groups ?? sites) !== undefined) return false;
  const all = vendors.flatMap((vendor) => vendor.products.map((product) => [vendor, product] as const));
  const met = all.filter(([vendor, product]) => reachable(what, policy.riskClasses ?? {}, vendor, product)).length;
  return all.length >= ENOUGH_PRODUCTS && met >= all.length * NEARLY_ALL;
}

/** @param now epoch milliseconds; entries that ended before are ignored. */
export function lintWideExceptions(given: Given, now: number): Finding[] {
  return given.policy.exceptions.flatMap((exception, i) => {
    if (exception.until <= now || !isWide(exception, given)) return [];
    const message = `the exception "${exception.id}" allows nearly every AI service to everyone; name the services that it is for, or the groups`;
    return [{ path: ['exceptions', i], message }];
  });
}

export function lintWideRules(given: Given): Finding[] {
  const { rules, exceptions, defaults } = given.policy;
  const wide = rules.flatMap((rule, i) => {
    if (rule.effect !== 'deny' || !isWide(rule, given)) return [];
    const message = `the rule "${rule.id}" denies nearly every AI service to everyone; write "mode: sanctioned-only" for that, which still lets approved services pass`;
    return [{ path: ['rules', i], message }];
  });
  const passes = [...rules.filter(({ effect }) => effect !== 'deny'), ...exceptions];
  const open = passes.some(({ what }) => (what.domains ?? what.lists) !== undefined);
  if (defaults.unlisted !== 'deny' || open) return wide;
  const message =
    'defaults.unlisted denies every host that no rule names, and no rule allows any domain; allow some, or write "allow"';
  return [...wide, { path: ['defaults', 'unlisted'], message }];
}
