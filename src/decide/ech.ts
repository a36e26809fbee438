/**
 * Tunnels whose ClientHello hides another one (RFC 9849). The proxy sees only the outer one, which bears the public name
 * of whoever runs the server; the inner one, for any of that operator's hosts, is encrypted. Most browsers send the
 * extension always, with noise in it (GREASE, section 6.2): by itself it tells nothing, and is never held against anyone.
 */
import type { PolicyDocument, Question } from '../flow.ts';

/** Public names of ECH configurations that are published: Cloudflare's, and those of the test services. */
const known: ReadonlySet<string> = new Set([
  'cloudflare-ech.com',
  'encryptedsni.com',
  'cover.defo.ie',
  'public.tls-ech.dev',
]);

/** What a policy holds of encrypted hellos. */
export interface Ech {
  readonly denied: boolean;
  /** Names that stand for all hosts of an operator. */
  readonly publicNames: ReadonlySet<string>;
}

/**
 * Where the policy does not say, hidden names are denied as soon as anything is: they would be the way around it. Raw
 * addresses do not count, which are denied by default.
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

/** Whether the hello stands for a host that is not seen, for its name is one that stands for all hosts of an operator. */
export function isBehindPublicName({ publicNames }: Ech, { ech, target, serverName }: Question): boolean {
  return ech === true && publicNames.has(serverName?.host ?? target.host);
}

/**
 * Whether the name in the hello says nothing against the one that the tunnel was asked for: a client that asks for a
 * host and encrypts its name shows the public one in its place.
 */
export function agrees(ech: Ech, question: Question): boolean {
  return !ech.denied && question.target.kind === 'name' && isBehindPublicName(ech, question);
}

/**
 * Whether the policy minds that this hello may be for another host than is seen. A name that differs and is no public one
 * is a mismatch like any other: noise is in the hello of nearly every browser, and tells the two apart for nobody.
 */
export function hidesItsName(ech: Ech, question: Question): boolean {
  return ech.denied && isBehindPublicName(ech, question);
}
