/**
 * TLS for clients of HTTP/1 that are told of a denial. Nearly all of them send one request and are done, for which an HTTP
 * server on top of TLS costs an eighth of the whole: so the first words are looked at here, and the server has what is left.
 */
import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { Hello, Target } from '../flow.ts';
import { createIndexedSet } from '../indexed-set.ts';
import { INSIDE, letGo, type Inside, type Marked } from './inside.ts';
import { watchOverdue, type Awaited } from './overdue.ts';
import { readWholeRequest, type WholeRequest } from './whole-request.ts';

export interface InsideTlsOptions {
  /** Milliseconds for the handshake, and then for the first words. */
  readonly headTimeout: number;
  /** Milliseconds for the answer to be read. */
  readonly idleTimeout: number;
  readonly contextFor: (target: Target, resumable: boolean) => SecureContext;
  /** A request that came whole and alone. False: it is for somebody else. */
  readonly asked: (tls: TLSSocket, inside: Inside, request: WholeRequest) => boolean;
  /** Takes over a socket that nobody hears, and what was read of it. */
  readonly other: (tls: TLSSocket, bytes: Buffer) => void;
  /** Takes over a socket that has said nothing in time. */
  readonly silent: (tls: TLSSocket, inside: Inside) => void;
  readonly failed: (inside: Inside, error: NodeJS.ErrnoException) => void;
}

export interface InsideTls {
  /** Takes over a socket below TLS that nobody hears, its ClientHello put back. */
  readonly serve: (socket: Socket, inside: Inside, hello: Extract<Hello, { kind: 'tls' }>) => void;
  /** Ends, in a moment, who has sent nothing of a request by then. */
  readonly closeIdle: () => void;
  readonly close: () => void;
}

interface Silent extends Awaited {
  readonly tls: TLSSocket;
  readonly inside: Inside;
  /** `over`: nothing that comes from now on is heard here. */
  phase: 'handshake' | 'listening' | 'over';
  until: number;
  /** Ended without an answer when its time is over: not for its silence, but because it is to come back. */
  dismissed: boolean;
}

/** Milliseconds for the request of a client that is dismissed: it may be on its way, and its answer is not to be lost. */
const ABOUT_TO_ASK = 1_000;

/** As they stand in the hello (RFC 7301). Who asks for HTTP/1.0 alone, as `curl --http1.0` does, is told no less. */
const HTTP1 = Buffer.from('\x08http/1.1\x08http/1.0', 'latin1');

const [CR, LF] = [13, 10];

function hasBegun(bytes: Buffer): boolean {
  return bytes.some((byte) => byte !== CR && byte !== LF);
}

export function createInsideTls(options: InsideTlsOptions): InsideTls {
  const { headTimeout, idleTimeout } = options;
  const clients = createIndexedSet<Silent>();

  /** Whether these bytes were a request that was answered. */
  const readFirst = (client: Silent, bytes: Buffer): boolean => {
    const request = readWholeRequest(bytes);
    client.until = performance.now() + idleTimeout;
    return request !== null && options.asked(client.tls, client.inside, request);
  };

  const overdue = (client: Silent): void => {
    const { phase, dismissed, tls, inside } = client;
    client.phase = 'over';
    if (phase === 'listening' && !dismissed && clients.delete(client)) options.silent(tls, inside);
    else tls.destroy();
  };
  const sweep = watchOverdue(clients, overdue);

  return {
    serve(socket, inside, { alpn, resumable }) {
      const tls: TLSSocket & Marked = new TLSSocket(socket, {
        isServer: true,
        secureContext: options.contextFor(inside.target, resumable),
        ALPNProtocols: alpn.length > 0 ? HTTP1 : undefined,
      });
      tls[INSIDE] = inside;
      const until = performance.now() + headTimeout;
      const client: Silent = { tls, inside, phase: 'handshake', until, dismissed: false, place: -1 };
      clients.add(client);
      tls.on('close', () => {
        clients.delete(client);
        letGo(tls);
      });
      // By itself: either of the two may be the first to close.
      socket.on('close', () => letGo(socket));
      tls.on('error', (error: NodeJS.ErrnoException) => {
        options.failed(inside, error);
        socket.destroy();
      });
      tls.on('secure', () => {
        client.phase = 'listening';
        if (!client.dismissed) client.until = performance.now() + headTimeout;
      });
      const first = (bytes: Buffer): void => {
        // Bytes after the request are dropped, since its answer is the last one. Leading empty lines are skipped (RFC
        // 9112, section 2.2).
        if (client.phase !== 'listening' || !hasBegun(bytes)) return;
        client.phase = 'over';
        if (readFirst(client, bytes) || !clients.delete(client)) return;
        tls.off('data', first).pause();
        options.other(tls, bytes);
      };
      tls.on('data', first);
    },
    closeIdle() {
      const soon = performance.now() + ABOUT_TO_ASK;
      for (const client of clients.all()) {
        if (client.phase === 'over' || client.dismissed) continue;
        client.dismissed = true;
        client.until = Math.min(client.until, soon);
      }
    },
    close: () => clearInterval(sweep),
  };
}
