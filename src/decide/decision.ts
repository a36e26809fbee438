/** Builds decisions from a rule, an exception, a default of the policy, or a built-in rule. */
import type { Client, Decision, Denial, Rule } from '../flow.ts';
import type { Policy } from './compile.ts';
import { assistantOf } from './assistants.ts';
import { builtIn } from './defaults.ts';
import type { Default } from './defaults.ts';
import type { Entry } from './entry.ts';
import type { Subject } from './subject.ts';

/** A rule's settings for its denials; defaults have none. */
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

/** What a decision is about, and for whom. */
export interface Circumstances {
  readonly subject: Subject;
  readonly client: Client;
  /** Epoch milliseconds; left out if no assistant is needed. */
  readonly now?: number;
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

export function byDefault(policy: Policy, fallback: Default, circumstances: Circumstances): Decision {
  const { id, effect, reason, pause } = fallback;
  if (effect === 'deny') return deny(policy, id, reason, circumstances, {});
  return { effect, rule: id, reason, ...(pause !== undefined && { exception: pause.id }) };
}

/** Denies a tunnel that was requested for one name and whose ClientHello has another. */
export function byMismatch(policy: Policy, circumstances: Circumstances): Decision {
  const reason = 'The TLS server name is not the host that the tunnel was requested for.';
  const terms = { manner: 'reset', error: 'server_name_mismatch' } as const;
  return deny(policy, builtIn.serverNameMismatch, reason, circumstances, terms);
}

/** Denies a tunnel that may lead to any host of an operator. Resets it, as no answer could reach the client. */
export function byEncryptedHello(policy: Policy, circumstances: Circumstances): Decision {
  const reason = 'The tunnel hides its true destination in an encrypted ClientHello.';
  const terms = { manner: 'reset', error: 'ech_denied' } as const;
  return deny(policy, builtIn.encryptedClientHello, reason, circumstances, terms);
}
