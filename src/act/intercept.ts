/**
 * Tunnels whose requests are read here. Denied ones are opened all the same, and ended here, so that the client can be
 * told why in its own language. Allowed ones that speak HTTP in the clear are read, because each request may name
 * another host than the tunnel was asked for.
 */
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import type { Denial, Hello, OuterTunnel, Outcome, Target, TunnelArrival } from '../flow.ts';
import { reset } from '../reset.ts';

/** Limits the rate at which leaf certificates are made. */
export interface MintLimit {
  /** Waits for the name's turn if necessary. True: its leaf may be made. False: too many are waiting. */
  readonly turn: (target: Target) => boolean | Promise<boolean>;
  /** Whether a tunnel to this name is better not opened. */
  readonly full: (target: Target) => boolean;
}

export interface Interceptor {
  /** Takes over the socket; resolves when it is closed, with the number of requests that were answered in it. */
  readonly take: (
    socket: Socket,
    tunnel: OuterTunnel,
    hello: Hello,
  ) => Promise<{ readonly requests: number; readonly error: ErrorCode | null }>;
}

/** How an HTTP request in the clear begins, however short its first segment; anything else can only be ended. */
const http = /^[A-Z]{1,8}(?: |$)/;

/**
 * Whether a tunnel to a port of plain HTTP has to be read. Whatever is no TLS is: an origin may take for a request what
 * does not look like one here, and who has said nothing yet may say it late, unless it has ended.
 */
export function speaksInClear(hello: Hello, port: number, httpPorts: readonly number[]): boolean {
  const mayStillSpeak = hello.kind === 'other' && (hello.bytes.length > 0 || hello.why !== 'ended');
  return mayStillSpeak && httpPorts.includes(port);
}

/** The name that the client believes to talk to, which the leaf must be for. */
function nameOf(target: Target, hello: Hello): Target {
  return hello.kind === 'tls' && hello.serverName !== null ? hello.serverName : target;
}

/** Of a tunnel in which nothing was answered. */
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
 * Null where requests were answered inside: those are the attempts, and each was recorded. Else this tunnel was the
 * attempt: its client did not trust the leaf, said nothing, or spoke what has no answer.
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
