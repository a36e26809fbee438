/**
 * Tunnels whose ClientHello hides another one (RFC 9849). The proxy sees only the outer one, which bears the public name
 * of whoever runs the server; the inner one, for any of that operator's hosts, is encrypted. Most browsers send the
 * extension always, with noise in it (GREASE, section 6.2): by itself it tells nothing, and is never held against anyone.
 */
import type { Question } from '../flow.ts';
import type { Policy } from './compile.ts';

/** Public names of ECH configurations that are published: Cloudflare's, and those of the test services. */
const known: ReadonlySet<string> = new Set([
  'cloudflare-ech.com',
  'encryptedsni.com',
  'cover.defo.ie',
  'public.tls-ech.dev',
]);

/**
 * Whether the policy minds that this hello may be for another host than is seen: where its name is one that stands for
 * all hosts of an operator, or is not the one that the tunnel was asked for. Noise comes under the name that was asked for.
 */
export function hidesItsName({ document }: Policy, { ech, target, serverName }: Question): boolean {
  const { defaults } = document;
  if (ech !== true || defaults.ech !== 'deny') return false;
  if (serverName !== null && target.kind === 'name') return true;
  const outer = serverName?.host ?? target.host;
  return known.has(outer) || defaults.echPublicNames?.includes(outer) === true;
}
