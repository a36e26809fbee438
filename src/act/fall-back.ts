/** What is done where an answer inside the tunnel would reach nobody: the CONNECT itself is answered. */
import type { Action, Question } from '../flow.ts';

/** Ports below have the protocols that they were assigned (RFC 6335, section 6). */
const SYSTEM_PORTS_END = 1024;

export interface TunnelPorts {
  /** Ports on which a tunnel must speak TLS. */
  readonly tlsRequiredPorts: readonly number[];
  /** Ports on which a tunnel without TLS is HTTP. */
  readonly httpPorts: readonly number[];
}

/**
 * Whether what is spoken on a port may be HTTP, inside TLS or in the clear: on any from 1024 on, below it on 80, on 443
 * and where the configuration says so. What speaks SSH or SMTP, also inside TLS, sees no answer there.
 */
function maySpeakHttp(port: number, { tlsRequiredPorts, httpPorts }: TunnelPorts): boolean {
  if (port >= SYSTEM_PORTS_END || port === 443 || port === 80) return true;
  return tlsRequiredPorts.includes(port) || httpPorts.includes(port);
}

/**
 * A leaf that is refused shows nobody why, nor does an answer in HTTP to what speaks none, so the CONNECT itself is
 * answered: the least that a client can show, and at once. Only at the CONNECT: once it was answered with 200 there is
 * nothing left but the leaf. Else `action` as it is.
 *
 * @param refuses whether the client at an address keeps refusing our leaf.
 */
export function fallBack(
  action: Action,
  { moment, client, target }: Pick<Question, 'moment' | 'client' | 'target'>,
  refuses: (clientAddress: string) => boolean,
  ports: TunnelPorts,
): Action {
  if (action.kind !== 'intercept' || moment !== 'connect') return action;
  if (maySpeakHttp(target.port, ports) && !refuses(client.address)) return action;
  return { kind: 'refuse', denial: action.denial };
}
