/**
 * Tunnels whose requests are read here. A denied tunnel is opened anyway and terminated here, so that its requests can
 * be answered with the reason in a form that the client displays. An allowed tunnel with plain HTTP is read because
 * each request may name a different host than the CONNECT did.
 */
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import type { Denial, Hello, OuterTunnel, Outcome, Target, TunnelArrival } from '../flow.ts';
import { reset } from '../reset.ts';

/** Limits the rate at which leaf certificates are made. */
export interface MintLimit {
  /** Waits for the name's turn if necessary. True: its leaf may be made. False: too many are waiting. */
  readonly turn: (target: Target) => boolean | Promise<boolean>;
  /** Whether so many names are waiting that a tunnel to this one should be refused. */
  readonly full: (target: Target) => boolean;
}

export interface Interceptor {
  /** Takes over the socket; resolves when it is closed, with the number of requests answered on it. */
  readonly take: (
    socket: Socket,
    tunnel: OuterTunnel,
    hello: Hello,
  ) => Promise<{ readonly requests: number; readonly error: ErrorCode | null }>;
}

/** The start of a plain HTTP request, even from a short first segment; anything else can only be reset. */
const http = /^[A-Z]{1,8}(?: |$)/;

/**
 * Whether a tunnel to a plain-HTTP port must be read. Everything that is not TLS is read: an origin may accept as a
 * request what does not look like one here, and a silent client may still send one, unless it has closed its side.
 */
export function speaksInClear(hello: Hello, port: number, httpPorts: readonly number[]): boolean {
  const mayStillSpeak = hello.kind === 'other' && (hello.bytes.length > 0 || hello.why !== 'ended');
  return mayStillSpeak && httpPorts.includes(port);
}

/** The name that the client expects in the leaf certificate. */
function nameOf(target: Target, hello: Hello): Target {
  return hello.kind === 'tls' && hello.serverName !== null ? hello.serverName : target;
}

/** The outcome of a tunnel in which no request was answered. */
function unanswered(socket: Socket, denial: Denial | null, error: ErrorCode): Outcome {
  return {
    kind: denial === null ? 'failed' : 'blocked',
    answer: denial === null ? null : 'none',
    status: 200,
    error,
    bytesIn: socket.bytesRead,
    bytesOut: socket.bytesWritten,
    upstream: null,
  };
}

/**
 * Returns null if requests were answered inside the tunnel: each of them was recorded as an attempt. Otherwise the
 * tunnel is the attempt: the client did not trust the leaf, sent nothing, or used a protocol that cannot be answered.
 */
export async function intercept(
  interceptor: Interceptor,
  room: MintLimit,
  arrival: TunnelArrival,
  denial: Denial | null,
  hello: Hello,
): Promise<Outcome | null> {
  const { socket, id, target, user, forwarded } = arrival;
  if (denial !== null && hello.kind === 'other' && !http.test(hello.bytes.toString('latin1', 0, 8))) {
    reset(socket);
    if (hello.why === 'silent') return unanswered(socket, denial, 'hello_timeout');
    return unanswered(socket, denial, hello.why === 'ended' ? 'client_closed' : 'tls_required');
  }
  const name = nameOf(target, hello);
  const turn = hello.kind === 'tls' ? room.turn(name) : true;
  if (!(turn === true || (await turn))) {
    reset(socket);
    return { ...unanswered(socket, denial, 'certificate_limit'), kind: 'failed' };
  }
  const { requests, error } = await interceptor.take(socket, { id, target: name, denial, user, forwarded }, hello);
  return requests > 0 ? null : unanswered(socket, denial, error ?? 'client_closed');
}
