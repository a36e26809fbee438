/** Finds assistants that the policy denies to the clients it sends there. */
import { assistantAt } from '../config/assistant-host.ts';
import type { Warning } from '../config/lint.ts';
import type { Path } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { builtIn } from '../decide/defaults.ts';
import { isFor } from '../decide/entry.ts';
import type { DomainSets } from '../decide/near.ts';
import type { PolicyDocument } from '../flow.ts';
import { createDecider } from './explanation.ts';

/** Exactly the groups and sites that a client is in. */
type Kind = readonly string[];

interface Whom {
  readonly groups?: readonly string[] | undefined;
  readonly sites?: readonly string[] | undefined;
}

/** Clients that are sent to an assistant, and where the policy says so. */
interface Sent {
  readonly assistant: string;
  /** Empty: everybody. */
  readonly kinds: readonly Kind[];
  readonly path: Path;
  /** The rule that sends them; null: any denial. */
  readonly by: string | null;
}

/** Empty for everybody. */
function kindsOf({ groups = [], sites = [] }: Whom): Kind[] {
  if (groups.length === 0 || sites.length === 0) return [...groups, ...sites].map((id) => [id]);
  return groups.flatMap((group) => sites.map((site) => [group, site]));
}

function isPair(kind: Kind): boolean {
  return kind.length > 1;
}

function isMet({ groups, sites }: Whom, kind: Kind): boolean {
  return isFor({ groups: groups ?? null, sites: sites ?? null }, { address: '', user: null, groups: new Set(kind) });
}

/** `staff at eu`. */
function shown(kind: Kind): string {
  return kind.length === 0 ? 'clients in no group' : kind.join(' at ');
}

/** In the order of the example policy: if several places send the same clients, the warning is about the first. */
function allSent({ defaultAssistant, sites = {}, assistantFor = [], rules }: PolicyDocument, now: number): Sent[] {
  const sent = (assistant: string | null | undefined, whom: Whom, path: Path, by: string | null = null): Sent[] =>
    assistant === null || assistant === undefined ? [] : [{ assistant, kinds: kindsOf(whom), path, by }];
  return [
    ...sent(defaultAssistant, {}, ['default_assistant']),
    ...Object.entries(sites).flatMap(([id, site]) => sent(site.assistant, { sites: [id] }, ['sites', id, 'assistant'])),
    ...assistantFor.flatMap((choice, i) => sent(choice.assistant, choice, ['assistant_for', i, 'assistant'])),
    ...rules.flatMap((rule, i) =>
      rule.effect === 'deny' && (rule.until ?? Infinity) > now
        ? sent(rule.assistant, rule, ['rules', i, 'assistant'], rule.id)
        : [],
    ),
  ];
}

/** The assistants for a kind of client if the rule names none, or one that is denied, in order of precedence. */
function otherwise({ defaultAssistant, sites = {}, assistantFor = [] }: PolicyDocument, kind: Kind): string[] {
  const always = assistantFor.filter(
    (choice) => Object.values(choice.what).every((words) => words === undefined) && isMet(choice, kind),
  );
  const here = kind.map((id) => sites[id]?.assistant);
  return [...always.map(({ assistant }) => assistant), ...here, defaultAssistant].filter((id) => id != null);
}

/** Whether the kind of client is denied anything besides what that rule denies. */
function isDeniedMore({ rules, sanctionedOnly, defaults }: PolicyDocument, kind: Kind, but: string, now: number) {
  const { catalogue, unlisted } = defaults;
  if (sanctionedOnly === true || catalogue === 'deny' || unlisted === 'deny') return true;
  return rules.some((rule) => {
    const { id, effect, until = Infinity } = rule;
    return effect === 'deny' && id !== but && until > now && isMet(rule, kind);
  });
}

/**
 * One warning for each assistant and kind of client. Addresses are left out: a PAC file lets browsers connect directly
 * to private ones.
 *
 * @param now epoch milliseconds.
 */
export function deniedAssistants(config: Config, sets: DomainSets, now: number): Warning[] {
  const { policyOfFile: policy, policyFile: file } = config;
  const decide = createDecider({ ...config, policy }, sets);
  const places = new Map(policy.assistants.map(({ id, url }) => [id, assistantAt(url)]));
  /** The rule that denies an assistant to the kind of client; null if none does. */
  const denierOf = (assistant: string, kind: Kind): string | null => {
    const place = places.get(assistant) ?? null;
    if (place === null) return null;
    const { scheme, target, path } = place;
    const moment = scheme === 'https' ? 'connect' : 'request';
    const { effect, rule } = decide({ target, moment, path, address: null, user: null, groups: kind, at: now });
    return effect === 'deny' ? rule : null;
  };
  // Denials also recommend an assistant that is merely unlisted.
  const isOffered = (assistant: string, kind: Kind): boolean =>
    ([null, builtIn.unlisted] as (string | null)[]).includes(denierOf(assistant, kind));
  const told = new Set<string>();
  const warning = ({ assistant, path }: Sent, rule: string, kinds: readonly Kind[]): Warning[] => {
    const fresh = kinds.filter((kind) => !told.has(JSON.stringify([assistant, ...kind])));
    const [first] = fresh;
    if (first === undefined) return [];
    fresh.forEach((kind) => told.add(JSON.stringify([assistant, ...kind])));
    const instead = otherwise(policy, first).find((id) => isOffered(id, first));
    const then =
      rule === builtIn.unlisted
        ? 'they are sent there and blocked again; name another'
        : instead === undefined
          ? 'they are offered no assistant; name another'
          : `they are offered "${instead}" instead; name that one`;
    const host = places.get(assistant)?.target.host ?? '';
    const message = `the assistant "${assistant}" is at ${host}, which ${rule} denies to ${fresh.map(shown).join(', ')}: ${then}, or allow its address`;
    return [{ file, path, message }];
  };
  const ids = [...Object.keys(policy.groups), ...Object.keys(policy.sites ?? {})];
  const some = [...ids.map((id): Kind => [id]), ...policy.rules.flatMap((rule) => kindsOf(rule).filter(isPair))];
  return allSent(policy, now).flatMap((sent) => {
    const { assistant, kinds, by } = sent;
    if (kinds.length > 0) {
      return kinds.flatMap((kind) => {
        const rule = denierOf(assistant, kind);
        return rule === null ? [] : warning(sent, rule, [kind]);
      });
    }
    const rule = denierOf(assistant, []);
    if (rule !== null) return warning(sent, rule, [[]]);
    const byRule = new Map<string, Kind[]>();
    for (const kind of some) {
      const denier = denierOf(assistant, kind);
      if (denier === null || denier === by || otherwise(policy, kind).some((id) => isOffered(id, kind))) continue;
      const isTold = isPair(kind) && kind.some((id) => denierOf(assistant, [id]) === denier);
      if (isTold || (by === null && !isDeniedMore(policy, kind, denier, now))) continue;
      byRule.set(denier, [...(byRule.get(denier) ?? []), kind]);
    }
    return [...byRule].flatMap(([denier, denied]) => warning(sent, denier, denied));
  });
}
