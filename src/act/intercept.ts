/** Denied tunnels are opened all the same, and ended here, so that the client can be told why in its own language. */
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import type { Denial, Hello, OuterTunnel, Outcome, Target, TunnelArrival } from '../flow.ts';
import { reset } from '../reset.ts';

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

/** The name that the client believes to talk to, which the leaf must be for. */
function nameOf(target: Target, hello: Hello): Target {
  return hello.kind === 'tls' && hello.serverName !== null ? hello.serverName : target;
}

/**
 * Null where requests were answered inside: those are the attempts, and each was recorded. Else this tunnel was the
 * attempt: its client did not trust the leaf, said nothing, or spoke what has no answer.
 */
export async function intercept(
  interceptor: Interceptor,
  arrival: TunnelArrival,
  denial: Denial,
  hello: Hello,
): Promise<Outcome | null> {
  const { socket, id, target } = arrival;
  const outcome = (error: ErrorCode): Outcome => ({
    kind: 'blocked',
    answer: 'none',
    status: 200,
    error,
    bytesIn: socket.bytesRead,
    bytesOut: socket.bytesWritten,
    upstream: null,
  });
  if (hello.kind === 'other' && !http.test(hello.bytes.toString('latin1', 0, 8))) {
    reset(socket);
    if (hello.why === 'silent') return outcome('hello_timeout');
    return outcome(hello.why === 'ended' ? 'client_closed' : 'tls_required');
  }
  const { requests, error } = await interceptor.take(socket, { id, target: nameOf(target, hello), denial }, hello);
  return requests > 0 ? null : outcome(error ?? 'client_closed');
}
