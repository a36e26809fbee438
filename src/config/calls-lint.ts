/** Finds rules that deny a tool but not its model, because the tool calls hosts of another product. */
import type { PolicyDocument, Rule, Vendor, What } from '../flow.ts';
import type { Finding } from './problem.ts';
import { reachable } from './reach.ts';

interface Met {
  readonly ref: string;
  readonly modelCalls: readonly string[];
}

function met(policy: PolicyDocument, vendors: readonly Vendor[], what: What): Met[] {
  return vendors.flatMap((vendor) =>
    vendor.products
      .filter((product) => reachable(what, policy.riskClasses ?? {}, vendor, product))
      .map(({ id, modelCalls = [] }) => ({ ref: `${vendor.id}/${id}`, modelCalls })),
  );
}

/** A rule about hosts or lists is explicit. */
function isAboutHosts({ what }: Rule): boolean {
  return (what.domains ?? what.lists) !== undefined;
}

/** Whether one rule applies to everybody that the other applies to. */
function isForAllOf(other: Rule, rule: Rule): boolean {
  return (['groups', 'sites'] as const).every(
    (field) => other[field] === undefined || rule[field]?.every((id) => other[field]?.includes(id)) === true,
  );
}

/** One finding for each such rule. If everything is denied by default, no rule is needed. */
export function lintCalls(policy: PolicyDocument, vendors: readonly Vendor[]): Finding[] {
  if (policy.sanctionedOnly === true || policy.defaults.catalogue === 'deny') return [];
  const denials = policy.rules
    .filter((rule) => rule.effect === 'deny' && !isAboutHosts(rule))
    .map((rule) => ({ rule, met: met(policy, vendors, rule.what) }));
  return policy.rules.flatMap((rule, i) => {
    const own = denials.find((one) => one.rule === rule)?.met ?? [];
    const tools = own.filter(({ modelCalls }) => modelCalls.length > 0);
    if (tools.length === 0) return [];
    const denied = new Set(
      denials.filter((other) => isForAllOf(other.rule, rule)).flatMap((other) => other.met.map(({ ref }) => ref)),
    );
    // If some are denied, the others may be left out on purpose.
    const left = tools.filter(({ modelCalls }) => !modelCalls.some((call) => denied.has(call)));
    if (left.length === 0) return [];
    const which = left.map(({ ref, modelCalls }) => `${ref} calls its model at hosts of ${modelCalls.join(' and ')}`);
    const message = `the rule "${rule.id}" does not stop what it names: ${which.join(', ')}; deny ${left.flatMap(({ modelCalls }) => modelCalls).join(', ')} as well`;
    return [{ path: ['rules', i], message }];
  });
}
