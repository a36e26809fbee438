/** Decisions from what made them: a rule or an exception, a default of the policy, or this program's own rule. */
import type { Assistant, Client, Decision, Denial, Effect, HostKind, Pause, Rule, Service } from '../flow.ts';
import type { Policy } from './compile.ts';
import { isAbout, isFor, readEffect } from './entry.ts';
import type { Entry } from './entry.ts';
import { namesHosts, nearest } from './near.ts';
import { besides } from './subject.ts';
import type { Subject } from './subject.ts';

/** Ids that a decision bears where no rule of the policy decided. */
export const builtIn = {
  sanctionedOnly: 'default-sanctioned-only',
  catalogue: 'default-catalogue',
  unknownModel: 'default-unknown-model',
  unlisted: 'default-unlisted',
  rawAddress: 'default-raw-address',
  serverNameMismatch: 'server-name-mismatch',
  encryptedClientHello: 'encrypted-client-hello',
} as const;

/** What a rule says about its denials; a default says nothing. */
type Terms = Partial<
  Pick<
    Rule,
    | 'assistant'
    | 'manner'
    | 'redirect'
    | 'link'
    | 'details'
    | 'owner'
    | 'from'
    | 'reasons'
    | 'clearSiteData'
    | 'letAccountCallsPass'
    | 'onChange'
  >
> &
  Pick<Denial, 'error'>;

/** A default of the policy, as it applies to one host. */
export interface Default {
  readonly id: string;
  readonly effect: Effect;
  readonly reason: string;
  /** What lifted the denial that it was. */
  readonly pause?: Pause;
}

/** What was asked for, by whom. */
export interface Circumstances {
  readonly subject: Subject;
  readonly client: Client;
}

/** The assistant that the rule names; then the first choice that fits; then that of the site; then that of the policy. */
function assistantOf(policy: Policy, id: string | undefined, { subject, client }: Circumstances): Assistant | null {
  const { assistants, document, risksOf } = policy;
  const named = id === undefined ? undefined : assistants.get(id);
  if (named !== undefined) return named;
  const { assistantFor = [], sites = {}, defaultAssistant } = document;
  const subjects = assistantFor.length === 0 ? [] : [subject, ...besides(subject, risksOf)];
  const chosen = assistantFor.find(
    ({ what, groups = null, sites = null }) =>
      isFor({ groups, sites }, client) &&
      (!namesHosts(what) || nearest(what, subject.host, policy.sets) !== null) &&
      subjects.some((one) => isAbout({ what }, one)),
  );
  const ofSite = Object.entries(sites).find(([site, one]) => one.assistant !== undefined && client.groups.has(site));
  return assistants.get(chosen?.assistant ?? ofSite?.[1].assistant ?? defaultAssistant ?? '') ?? null;
}

function deny(policy: Policy, rule: string, reason: string, circumstances: Circumstances, terms: Terms): Decision {
  const { defaults } = policy.document;
  const denial = {
    rule,
    reason,
    service: circumstances.subject.service,
    assistant: assistantOf(policy, terms.assistant, circumstances),
    manner: terms.manner ?? defaults.manner,
    redirect: terms.redirect ?? defaults.redirect,
    link: terms.link ?? null,
    details: terms.details,
    owner: terms.owner,
    since: terms.from ?? null,
    reasons: terms.reasons,
    clearSiteData: terms.clearSiteData,
    letAccountCallsPass: terms.letAccountCallsPass,
    onChange: terms.onChange ?? defaults.onChange,
    error: terms.error,
  };
  return { effect: 'deny', rule, reason, denial };
}

export function byEntry(policy: Policy, entry: Entry, circumstances: Circumstances): Decision {
  const { id, effect, reason, kind, pause } = entry;
  const exception = kind === 'exception' ? id : pause?.id;
  if (effect !== 'deny') return { effect, rule: id, reason, ...(exception !== undefined && { exception }) };
  return deny(policy, id, reason, circumstances, entry.kind === 'rule' ? entry.rule : {});
}

const done = { allow: 'let through', monitor: 'let through and counted', deny: 'denied' } as const;

/** The default for a host that no rule names. */
export function defaultFor(policy: Policy, kind: HostKind, service: Service | null): Default {
  const { defaults, sanctionedOnly = false } = policy.document;
  if (service !== null && sanctionedOnly) {
    const reason = 'Only AI services that are approved may be used, and this one is not.';
    return { id: builtIn.sanctionedOnly, effect: 'deny', reason };
  }
  if (service?.model === null && defaults.unknownModel !== undefined) {
    const { effect, reason } = readEffect(defaults.unknownModel, 'Whose model answers here is not known');
    return { id: builtIn.unknownModel, effect, reason: `${reason}; by default that is ${done[effect]}.` };
  }
  if (service !== null) {
    const { effect, reason } = readEffect(defaults.catalogue, 'No rule names this AI service');
    return { id: builtIn.catalogue, effect, reason: `${reason}; by default it is ${done[effect]}.` };
  }
  if (kind !== 'name') {
    const { effect, reason } = readEffect(defaults.rawAddress, 'The client names an address and no host');
    return { id: builtIn.rawAddress, effect, reason: `${reason}; by default that is ${done[effect]}.` };
  }
  const { effect, reason } = readEffect(defaults.unlisted, 'No rule names this host, and it is no known AI service');
  return { id: builtIn.unlisted, effect, reason: `${reason}; by default it is ${done[effect]}.` };
}

export function byDefault(policy: Policy, fallback: Default, circumstances: Circumstances): Decision {
  const { id, effect, reason, pause } = fallback;
  if (effect === 'deny') return deny(policy, id, reason, circumstances, {});
  return { effect, rule: id, reason, ...(pause !== undefined && { exception: pause.id }) };
}

/** A tunnel that was asked for under one name and speaks to another: whichever is meant, one of them is a lie. */
export function byMismatch(policy: Policy, circumstances: Circumstances): Decision {
  const reason = 'The TLS server name is not the name that the tunnel was asked for.';
  const terms = { manner: 'reset', error: 'server_name_mismatch' } as const;
  return deny(policy, builtIn.serverNameMismatch, reason, circumstances, terms);
}

/** A tunnel that may speak to any host of whoever runs the one it was asked for. No answer would get through to it. */
export function byEncryptedHello(policy: Policy, circumstances: Circumstances): Decision {
  const reason = 'The name that the tunnel is meant for is encrypted.';
  const terms = { manner: 'reset', error: 'ech_denied' } as const;
  return deny(policy, builtIn.encryptedClientHello, reason, circumstances, terms);
}
