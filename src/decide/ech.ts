/**
 * Tunnels with an encrypted ClientHello (RFC 9849). The proxy sees only the outer hello with the public name of the
 * server's operator; the inner one, for any of that operator's hosts, is encrypted. Most browsers always send the
 * extension, with random content (GREASE, section 6.2), so by itself it means nothing.
 */
import type { PolicyDocument, Question } from '../flow.ts';

/** Public names in published ECH configurations: Cloudflare's, and those of test services. */
const known: ReadonlySet<string> = new Set([
  'cloudflare-ech.com',
  'encryptedsni.com',
  'cover.defo.ie',
  'public.tls-ech.dev',
]);

/** A policy's settings for encrypted hellos. */
export interface Ech {
  readonly denied: boolean;
  /** Names that stand for all hosts of an operator. */
  readonly publicNames: ReadonlySet<string>;
}

/**
 * Unless the policy says otherwise, hidden names are denied if anything else is, since they would bypass that denial.
 * The default for raw addresses does not count, as it usually is a denial.
 */
export function echOf({ defaults, rules, sanctionedOnly = false }: PolicyDocument): Ech {
  const { ech, echPublicNames = [], unlisted, catalogue, unknownModel } = defaults;
  const denies =
    sanctionedOnly ||
    [unlisted, catalogue, unknownModel].includes('deny') ||
    rules.some(({ effect }) => effect === 'deny');
  return {
    denied: ech === undefined ? denies : ech === 'deny',
    publicNames: echPublicNames.length === 0 ? known : new Set([...known, ...echPublicNames]),
  };
}

/** Whether the true host may be hidden, because the visible name stands for all hosts of an operator. */
export function isBehindPublicName({ publicNames }: Ech, { ech, target, serverName }: Question): boolean {
  return ech === true && publicNames.has(serverName?.host ?? target.host);
}

/**
 * Whether a different name in the hello does not contradict the CONNECT: a client that encrypts the name shows the
 * public one instead.
 */
export function agrees(ech: Ech, question: Question): boolean {
  return !ech.denied && question.target.kind === 'name' && isBehindPublicName(ech, question);
}

/**
 * Whether the policy denies this hello because it may be for another host. A different name that is not public is an
 * ordinary mismatch, as nearly every browser sends the extension.
 */
export function hidesItsName(ech: Ech, question: Question): boolean {
  return ech.denied && isBehindPublicName(ech, question);
}
