/** Denies the CONNECT itself if the client would not see an answer inside the tunnel. */
import type { Action, Question } from '../flow.ts';

/** Ports below this one are expected to carry their assigned protocols (RFC 6335, section 6). */
const SYSTEM_PORTS_END = 1024;

export interface TunnelPorts {
  /** Ports on which a tunnel must carry TLS. */
  readonly tlsRequiredPorts: readonly number[];
  /** Ports on which a tunnel without TLS is HTTP. */
  readonly httpPorts: readonly number[];
}

/**
 * Whether a port may carry HTTP, inside TLS or in the clear: any port from 1024 up, and below that 80, 443 and the
 * configured ones. A client that speaks SSH or SMTP, even inside TLS, would not see an HTTP answer.
 */
function maySpeakHttp(port: number, { tlsRequiredPorts, httpPorts }: TunnelPorts): boolean {
  if (port >= SYSTEM_PORTS_END || port === 443 || port === 80) return true;
  return tlsRequiredPorts.includes(port) || httpPorts.includes(port);
}

/**
 * Replaces `intercept` by `refuse` for a client that rejects our leaf certificate or does not speak HTTP: it could not
 * show an answer inside the tunnel, but can at least report the status of the CONNECT. This only works before the
 * CONNECT has been answered with 200. Other actions are returned unchanged.
 *
 * @param refuses whether the client at an address keeps rejecting our leaf.
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
