/**
 * Evaluates the policy. Pure: the same policy, question and time give the same decision.
 *
 * Precedence:
 *
 *   0. The denial for which the outer tunnel was intercepted stands, except for account calls that its rule allows.
 *   1. An exception allows. If several apply, steps 2 to 4 choose among them.
 *   2. The most specific rule: host (exact before suffix, longer before shorter) over product over vendor over class
 *      (tag, risk class, channel) over a rule about everything. At the same level, a rule for a group at a site over
 *      one for a group or a site over one for everyone.
 *   3. At equal rank: deny over monitor over allow.
 *   4. The order in the file.
 *   5. If other vendors have a part in the service, such as the cloud that runs the host or the maker of the model,
 *      steps 1 to 4 are repeated for each of them with the entries that name vendors or risk classes, and the strictest
 *      result stands.
 *   6. If no entry applies, the defaults: a sanctioned-only policy denies every service; otherwise there are defaults
 *      for services whose model's maker is unknown, hosts of the catalogue, raw addresses, and unlisted hosts.
 *
 * While a vendor is paused, a denial of its services by steps 2 to 6 is not enforced, only counted.
 *
 * All fields of a rule must match. A rule does not apply before its `from`, from its `until` on, outside its windows,
 * or to clients in none of its groups or sites.
 *
 * If the ClientHello of a tunnel names another host than the CONNECT, both are judged: {@link decisiveName} selects the
 * verdict that stands, and {@link agrees} tells whether the names are compatible. A raw address that no rule names and
 * the catalogue does not know is judged by the name in the ClientHello. An allowed tunnel may still be denied because
 * it hides its true host ({@link hidesItsName}) or leads to denied addresses ({@link nameStands}).
 */
import type { Action, Decision, Effect, HostKind, Hostname, Question, Service } from '../flow.ts';
import { actionFor } from './action.ts';
import type { Policy } from './compile.ts';
import { byDefault, byEncryptedHello, byEntry, byMismatch } from './decision.ts';
import { builtIn, defaultFor } from './defaults.ts';
import { decidingEntry, isSpecific } from './deciding-entry.ts';
import { isAtHome, nameStands } from './dialled.ts';
import { agrees, hidesItsName, isBehindPublicName } from './ech.ts';
import type { Entry } from './entry.ts';
import { lifted } from './pauses.ts';
import { subjectOf } from './subject.ts';

/** The verdict on one host. */
interface Verdict {
  readonly decision: Decision;
  /** Whether the decision is specific to the host or its service, rather than one for all hosts. */
  readonly specific: boolean;
  /** The entry that decided; null: a default or a built-in rule. */
  readonly entry: Entry | null;
}

/** @param now epoch milliseconds of the wall clock, by which schedules are evaluated. */
export function decide(policy: Policy, question: Question, now: number): { decision: Decision; action: Action } {
  const { denied, target, service, serverName } = question;
  if (denied !== null) {
    const { rule, reason, letAccountCallsPass } = denied;
    if (letAccountCallsPass === true && question.accountCall === true)
      return withAction({ effect: 'allow', rule, reason: accountReason }, question);
    return withAction({ effect: 'deny', rule, reason, denial: denied }, question);
  }
  const asked = judge(policy, target.host, service, target.kind, question, now);
  const unnamed = question.moment === 'connect' && target.kind !== 'name' && !asked.specific;
  if (unnamed && serverName === null) return { decision: asked.decision, action: { kind: 'listen' } };
  const named = serverName === null ? asked : ofBoth(policy, question, asked, serverName, now);
  // A rule that allows the name in the hello must not allow an address that the client chose itself.
  const vouching = target.kind === 'name' ? named : asked;
  const decision =
    question.dialled === undefined ? named.decision : withAddresses(policy, question, named, vouching, now);
  const stands = hidesItsName(policy.ech, question) ? unlessDenied(policy, question, decision) : decision;
  return withAction(isBehindPublicName(policy.ech, question) ? { ...stands, ech: true } : stands, question);
}

function ofBoth(
  policy: Policy,
  question: Question,
  asked: Verdict,
  { host, service }: NonNullable<Question['serverName']>,
  now: number,
): Verdict {
  const spoken = judge(policy, host, service, 'name', question, now);
  switch (decisiveName(question.target.kind, standing(asked), standing(spoken), agrees(policy.ech, question))) {
    case 'target':
      return asked;
    case 'server-name':
      return spoken;
    case 'mismatch': {
      const subject = subjectOf(host, service ?? question.service, policy.risksOf);
      const decision = byMismatch(policy, { subject, client: question.client });
      return { decision, specific: true, entry: null };
    }
  }
}

/**
 * Denies an allowed name if one of the addresses that it resolves to is denied.
 *
 * @param vouching the verdict whose entry may take precedence over the denial of an address.
 */
function withAddresses(policy: Policy, question: Question, named: Verdict, vouching: Verdict, now: number): Decision {
  const { target, serverName, dialled = [] } = question;
  if (named.decision.effect === 'deny') return named.decision;
  const service = question.service ?? (target.kind === 'name' ? (serverName?.service ?? null) : null);
  for (const at of dialled) {
    if (at.host === target.host || (at.service !== null && isAtHome(service, at.service))) continue;
    // Any kind would do: it only selects the default for hosts without a service, which does not count here.
    const found = judge(policy, at.host, at.service, 'ipv4', question, now);
    const denied = found.decision.effect === 'deny' && found.specific;
    if (denied && !nameStands(vouching.entry, found.entry)) return found.decision;
  }
  return named.decision;
}

/** Denies an encrypted hello, but keeps a denial that says more. A name mismatch says less: such a hello causes one. */
function unlessDenied(policy: Policy, { target, service, client }: Question, decision: Decision): Decision {
  if (decision.effect === 'deny' && decision.rule !== builtIn.serverNameMismatch) return decision;
  return byEncryptedHello(policy, { subject: subjectOf(target.host, service, policy.risksOf), client });
}

const accountReason = 'An account call, without which the client could not show why everything else is denied.';

function withAction(decision: Decision, question: Question): { decision: Decision; action: Action } {
  return { decision, action: actionFor(decision, question) };
}

function standing({ decision, specific, entry }: Verdict): Standing {
  return { effect: decision.effect, specific, ruled: entry !== null };
}

function judge(
  policy: Policy,
  host: Hostname,
  service: Service | null,
  kind: HostKind,
  { client }: Question,
  now: number,
): Verdict {
  const subject = subjectOf(host, service, policy.risksOf);
  const entry = decidingEntry(policy, subject, client, now);
  const circumstances = { subject, client, now };
  if (entry !== null) return { decision: byEntry(policy, entry, circumstances), specific: isSpecific(entry), entry };
  const fallback = lifted(policy.pauses, defaultFor(policy, kind, service), service, now); // 6
  const decision = byDefault(policy, fallback, circumstances);
  return { decision, specific: service !== null, entry: null };
}

export interface Standing {
  readonly effect: Effect;
  readonly specific: boolean;
  /** Whether a rule or an exception decided, rather than a default. */
  readonly ruled: boolean;
}

/**
 * Whose verdict stands if the ClientHello names another host than the CONNECT. A denial of either stands; otherwise it
 * is a mismatch for a tunnel to a name, while for a tunnel to an address the stricter verdict stands.
 *
 * @param agreed whether the name in the ClientHello only stands in for the target; defaults then do not apply to it.
 */
export function decisiveName(
  kind: HostKind,
  target: Standing,
  serverName: Standing,
  agreed: boolean,
): 'target' | 'server-name' | 'mismatch' {
  const unnamed = kind !== 'name' && !target.specific;
  if (unnamed) return 'server-name';
  if (target.effect === 'deny') return 'target';
  if (serverName.effect === 'deny' && (serverName.ruled || !agreed)) return 'server-name';
  if (agreed) return 'target';
  if (kind === 'name') return 'mismatch';
  return serverName.effect === 'monitor' ? 'server-name' : 'target';
}
