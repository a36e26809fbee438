/** Whether the proxy may dial an allowed target, by the proxy's own check. DNS is not asked. */
import { createDestinations } from '../act/destinations.ts';
import { createFixed } from '../act/resolver.ts';
import type { Config } from '../config/schema.ts';
import type { ErrorCode } from '../errors.ts';
import type { Target } from '../flow.ts';

/** Why a connection is not made; the client gets 403. */
export interface Prohibited {
  readonly code: Extract<ErrorCode, 'port_prohibited' | 'destination_prohibited'>;
  readonly why: string;
  /** How to make it reachable. */
  readonly cure: string;
}

/** Nothing is resolved here: addresses are known only for `outbound.hosts` and `localhost`. */
export function prohibited(
  { outbound, listen, proxyTls }: Pick<Config, 'outbound' | 'listen' | 'proxyTls'>,
  target: Target,
): Prohibited | null {
  const ours = [listen.proxy, listen.admin, ...(proxyTls === null ? [] : [proxyTls.address])];
  const own = [...ours.map(({ port }) => ({ port, pages: false })), { port: listen.pages.port, pages: true }];
  const { ports, allow, hosts } = outbound;
  const { portProblem, addressProblem } = createDestinations({ ports, allow, own: () => own });
  const port = portProblem(target);
  if (port !== null) {
    return { code: 'port_prohibited', why: port, cure: 'outbound.ports or outbound.allow would let it through' };
  }
  const addresses = target.kind === 'name' ? (createFixed(hosts)(target.host) ?? []) : [target.host];
  const problems = addresses.map((address) => addressProblem(target, address));
  // One address that may be dialled suffices.
  const why = problems.includes(null) ? null : (problems[0] ?? null);
  return why === null ? null : { code: 'destination_prohibited', why, cure: 'outbound.allow would let it through' };
}
