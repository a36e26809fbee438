/** Answers CONNECT and relays the tunnel. */
import type { Socket } from 'node:net';
import { upstreamErrorCode, type ErrorCode } from '../errors.ts';
import type { Answer, Decided, Hello, HelloWatch, MayReach, Outcome, Target, TunnelArrival } from '../flow.ts';
import { createFeed, type Feed } from './feed.ts';
import { blockedOutcome, failedOutcome } from './outcome.ts';
import { relay } from './relay.ts';
import type { Dialler } from './upstream.ts';
import { reset, resetAtEnd } from '../reset.ts';
import { answerAndEnd } from './write.ts';

export interface TunnelOptions {
  readonly dialler: Dialler;
  /** Milliseconds without a byte. */
  readonly idleTimeout: number;
  /** Ports on which a tunnel must carry TLS. */
  readonly tlsRequiredPorts: readonly number[];
  /** Creates the check that a client does not change the server name in a second hello. */
  readonly watch: (serverName: Target | null) => HelloWatch;
  readonly failed: (code: ErrorCode, arrival: TunnelArrival) => Answer;
}

/** The origin side of an open tunnel. */
export interface Upstream {
  readonly kind: 'upstream';
  readonly socket: Socket;
  /** The IP address. */
  readonly address: string;
  readonly feed: Feed;
  readonly destroy: () => void;
}

/** A tunnel after its CONNECT was handled: open, with its upstream if one was dialled, or already ended. */
export type Opened =
  { readonly kind: 'open'; readonly upstream: Upstream | null } | { readonly kind: 'ended'; readonly outcome: Outcome };

export interface Tunnel {
  /** Dials and answers 200, or answers with the failure. */
  readonly open: (arrival: TunnelArrival, mayReach?: MayReach) => Promise<Opened>;
  /** Relays until both sides are closed. Dials first if that had to wait for the hello. */
  readonly carry: (decided: Decided<TunnelArrival>, hello: Hello, upstream: Upstream | null) => Promise<Outcome>;
}

const established = Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n');

export function answerEstablished(socket: Socket): void {
  socket.write(established);
}

/** Refuses a CONNECT: answers it and closes the connection. @param error why it failed; null: it was denied. */
export async function answerAndClose(socket: Socket, answer: Answer, error: ErrorCode | null): Promise<Opened> {
  const bytesOut = await answerAndEnd(socket, answer);
  const { name, status } = answer;
  const outcome = error === null ? blockedOutcome(name, status, bytesOut) : failedOutcome(error, status, bytesOut);
  return { kind: 'ended', outcome };
}

/** Milliseconds of a dial after which the client is watched for leaving. */
const WATCH_CLIENT_AFTER = 100;

/**
 * Resets a client that leaves while its tunnel is being dialled, which aborts the dial. A FIN after data does not count
 * as leaving, since the data may be all that the client has to send; as nothing reads it yet, no `end` is emitted then.
 */
function resetIfItLeaves(client: Socket): () => void {
  let stay: (() => void) | null = null;
  const timer = setTimeout(() => (stay = resetAtEnd(client)), WATCH_CLIENT_AFTER);
  return () => {
    clearTimeout(timer);
    stay?.();
  };
}

/** Kinds of non-TLS hello that may be relayed on a port that does not require TLS. */
const relayableNonTls: ReadonlySet<string> = new Set(['not-tls', 'server-first', 'ended']);

function helloProblem(hello: Hello): ErrorCode | null {
  if (hello.kind === 'tls') return null;
  if (hello.why === 'silent') return 'hello_timeout';
  return hello.why === 'ended' ? 'client_closed' : 'tls_required';
}

export function createTunnel(options: TunnelOptions): Tunnel {
  const tlsRequired = new Set(options.tlsRequiredPorts);

  /** Why the tunnel must not be relayed, even if the policy allows its name: the bytes may hide another name. */
  const relayProblem = (hello: Hello, port: number, opened: Upstream | null): ErrorCode | null => {
    if (tlsRequired.has(port)) return helloProblem(hello);
    if (hello.kind === 'tls' || relayableNonTls.has(hello.why)) return null;
    if (hello.why !== 'silent') return 'tls_required';
    // Without an upstream, the client may simply be waiting for the server to speak first.
    return opened === null ? null : 'idle_timeout';
  };

  const dial = async ({ target, socket: client }: TunnelArrival, mayReach?: MayReach): Promise<Upstream> => {
    const feed = createFeed();
    let address: string | undefined;
    const socket = await options.dialler.dial(target, client, {
      feed,
      mayReach,
      only: (dialled) => (address = dialled),
    });
    address ??= socket.remoteAddress ?? '';
    return { kind: 'upstream', socket, address, feed, destroy: () => socket.destroy() };
  };

  return {
    async open(arrival, mayReach) {
      const { socket } = arrival;
      const stop = arrival.early.length === 0 ? resetIfItLeaves(socket) : null;
      try {
        const upstream = await dial(arrival, mayReach);
        stop?.();
        answerEstablished(socket);
        return { kind: 'open', upstream };
      } catch (error) {
        stop?.();
        const code = upstreamErrorCode(error);
        if (code === 'client_closed') return { kind: 'ended', outcome: failedOutcome(code, null) };
        return answerAndClose(socket, options.failed(code, arrival), code);
      }
    },

    async carry({ arrival, mayReach }, hello, opened) {
      const { socket, target } = arrival;
      const watch = hello.kind === 'tls' ? options.watch(hello.serverName) : null;
      const first = watch === null ? hello.bytes : watch.fromClient(hello.bytes);
      const refuse = (code: ErrorCode): Outcome => {
        opened?.destroy();
        reset(socket);
        return failedOutcome(code, 200);
      };
      if (first === null) return refuse('server_name_mismatch');
      const problem = relayProblem(hello, target.port, opened);
      if (problem !== null) return refuse(problem);
      let upstream: Upstream;
      try {
        upstream = opened ?? (await dial(arrival, mayReach));
      } catch (error) {
        reset(socket);
        return failedOutcome(upstreamErrorCode(error), 200);
      }
      const { socket: origin, feed } = upstream;
      if (first.length > 0) origin.write(first);
      const { error } = await relay(socket, origin, options.idleTimeout, { feed, watch });
      return {
        kind: error === null ? 'passed' : 'failed',
        answer: null,
        status: 200,
        error,
        bytesIn: origin.bytesWritten,
        bytesOut: origin.bytesRead,
        upstream: { address: upstream.address, port: target.port },
      };
    },
  };
}
