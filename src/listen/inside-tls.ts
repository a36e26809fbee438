/**
 * TLS for HTTP/1 clients that get a denial. Nearly all send one request and leave, for which an HTTP server on top of
 * TLS would cost an eighth of the total: so the first request is read here, and everything else goes to the server.
 */
import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { Hello, Target } from '../flow.ts';
import { createIndexedSet } from '../indexed-set.ts';
import { INSIDE, letGo, type Inside, type Marked } from './inside.ts';
import { watchOverdue, type Awaited } from './overdue.ts';
import { readWholeRequest, type WholeRequest } from './whole-request.ts';

export interface InsideTlsOptions {
  /** Milliseconds for the handshake, and then for the request. */
  readonly headTimeout: number;
  /** Milliseconds for the client to read the answer. */
  readonly idleTimeout: number;
  readonly contextFor: (target: Target, resumable: boolean) => SecureContext;
  /** A request that came complete and alone; false if it has to be handled elsewhere. */
  readonly asked: (tls: TLSSocket, inside: Inside, request: WholeRequest) => boolean;
  /** Takes over a socket that nobody is reading, and the bytes that were read. */
  readonly other: (tls: TLSSocket, bytes: Buffer) => void;
  /** Takes over a socket that sent nothing in time. */
  readonly silent: (tls: TLSSocket, inside: Inside) => void;
  readonly failed: (inside: Inside, error: NodeJS.ErrnoException) => void;
}

export interface InsideTls {
  /** Takes over a socket below TLS that nobody is reading, with its ClientHello put back. */
  readonly serve: (socket: Socket, inside: Inside, hello: Extract<Hello, { kind: 'tls' }>) => void;
  /** Closes connections that do not send a request within a second. */
  readonly closeIdle: () => void;
  readonly close: () => void;
}

interface Silent extends Awaited {
  readonly tls: TLSSocket;
  readonly inside: Inside;
  /** `over`: later bytes are ignored here. */
  phase: 'handshake' | 'listening' | 'over';
  until: number;
  /** Closed without an answer at its deadline, not because it was silent but because it should reconnect. */
  dismissed: boolean;
}

/** Milliseconds that a dismissed client has to send its request, which may be on its way. */
const ABOUT_TO_ASK = 1_000;

/**
 * As encoded in the hello (RFC 7301). A client that offers only HTTP/1.0, such as `curl --http1.0`, gets the denial as
 * well.
 */
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
      // Both sockets, as either may close first.
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
