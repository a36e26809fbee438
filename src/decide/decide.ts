/**
 * What the policy says. Pure: the same policy, question and time have the same answer.
 *
 * The precedence, which the code below follows:
 *
 *   0. A denial that the outer tunnel was intercepted for stands, but for account calls that its rule lets pass.
 *   1. Exceptions allow. Of several the one that steps 2 to 4 would choose decides.
 *   2. The most specific rule: host (exact before suffix, longer before shorter) over product over vendor over class
 *      (tag, risk class, channel) over a rule about everything. At the same level a rule for a group at a site over one
 *      for a group or for a site over one for everyone.
 *   3. At equal rank deny over monitor over allow.
 *   4. Then the order of the file.
 *   5. Where other vendors have a part in the service, as the cloud that runs the host or as the maker of the model,
 *      steps 1 to 4 are gone through for each of them with the rules that name vendors or risk classes, and the strictest
 *      result stands.
 *   6. Then the defaults: in a sanctioned-only policy a denial of every service; for services whose maker of the model is
 *      not known, for hosts of the catalogue, for raw addresses, for hosts that are in no list.
 *
 * While a vendor is paused, what steps 2 to 6 deny of it is let through and counted instead.
 *
 * A rule is known by its most specific field, and all of its fields must hold. Before its `from`, from its `until` on,
 * outside of its windows, and for a client in none of its groups or sites it does not exist.
 *
 * Where a tunnel is asked for under one name and its ClientHello says another, both are judged; {@link whoseSay} says
 * which stands, and {@link agrees} when two names are no contradiction. A raw address that nothing names is judged by the
 * name in the ClientHello. What that lets through may still hide whom it is meant for: {@link hidesItsName}; or lead to
 * addresses that are denied: {@link nameStands}.
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

/** What one host gets. */
interface Verdict {
  readonly decision: Decision;
  /** Something is about this very host, and not merely about all hosts. */
  readonly specific: boolean;
  /** What decided; null: a default, or this program's own rule. */
  readonly entry: Entry | null;
}

/** @param now wall clock, epoch milliseconds: schedules are kept by it. */
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
  // The name in a hello says nothing of an address that its client has chosen.
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
  switch (whoseSay(question.target.kind, standing(asked), standing(spoken), agrees(policy.ech, question))) {
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

/** What lets the name through, unless one of the addresses that it leads to is denied. @param vouching for addresses. */
function withAddresses(policy: Policy, question: Question, named: Verdict, vouching: Verdict, now: number): Decision {
  const { target, serverName, dialled = [] } = question;
  if (named.decision.effect === 'deny') return named.decision;
  const service = question.service ?? (target.kind === 'name' ? (serverName?.service ?? null) : null);
  for (const at of dialled) {
    if (at.host === target.host || (at.service !== null && isAtHome(service, at.service))) continue;
    // Either kind of address will do: it chooses the default for a host of no service, and a default counts for none here.
    const found = judge(policy, at.host, at.service, 'ipv4', question, now);
    const denied = found.decision.effect === 'deny' && found.specific;
    if (denied && !nameStands(vouching.entry, found.entry)) return found.decision;
  }
  return named.decision;
}

/** What a rule denies stays its denial, which says more; that two names differ is what an encrypted hello looks like. */
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
  /** A rule or an exception decided, and no default. */
  readonly ruled: boolean;
}

/**
 * Whose verdict stands where the ClientHello says another name than the CONNECT: a denial of either; then nobody's,
 * for a tunnel to a name may not speak to another; a raw address may, and there the stricter one stands.
 *
 * @param agreed the name in the ClientHello only stands in for the other: what counts of it is what a rule denies.
 */
export function whoseSay(
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
