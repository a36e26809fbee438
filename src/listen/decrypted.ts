/**
 * Requests inside intercepted tunnels: TLS of a denied host ends here, and each request in it becomes an Arrival that
 * takes the same path as a plain one. A tunnel that speaks HTTP in the clear is read the same way, without TLS.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContext } from 'node:tls';
import { SallyportError, type ErrorCode } from '../errors.ts';
import type { Answerable, Hello, OuterTunnel, Target, TrustResult, UpgradeArrival } from '../flow.ts';
import { originOf, userAgentOf, type Origin } from './arrival.ts';
import { MAX_HEAD, MAX_LINES } from './connect-head.ts';
import { admitUpgrade, createHttp1Server, handTo, isFramed, problem } from './http.ts';
import { INSIDE, openInside, originInside, type Inside, type Marked } from './inside.ts';
import { createInsideTls } from './inside-tls.ts';
import { tlsErrorCode, trustOf } from './leaf-trust.ts';
import { loneArrival } from './lone.ts';
import { lateHead } from './overdue.ts';
import { connectionKey } from './peers.ts';
import { enterLast } from './pipeline.ts';
import { addressTunnelled } from './request.ts';
import { createSessionWatch } from './session-watch.ts';
import { parseHost } from './target.ts';

export interface DecryptedOptions {
  /** Milliseconds for the TLS handshake, and for each request head. */
  readonly headTimeout: number;
  /** Milliseconds that a connection may stay without a byte. */
  readonly idleTimeout: number;
  /** A context with a leaf for exactly this name. Synchronous: it runs inside the handshake. `resumable`: with tickets. */
  readonly contextFor: (target: Target, resumable: boolean) => SecureContext;
  readonly arrived: (arrival: Answerable | UpgradeArrival) => void;
  readonly rejectRequest: (req: Request, res: Response, origin: Origin, code: ErrorCode, detail: string) => void;
  readonly reject: (socket: Duplex, origin: Origin, code: ErrorCode, detail: string) => void;
  /** Hears once for each TLS client what it made of the leaf: at its first request, or when it closes without one. */
  readonly trusted?: (clientAddress: string, result: TrustResult) => void;
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** How a client's side of an intercepted tunnel went. */
export interface InterceptEnd {
  /** Requests that were read in it. */
  readonly requests: number;
  readonly error: ErrorCode | null;
}

export interface Decrypted {
  /** Takes over the socket of a tunnel, which nobody hears; resolves when it is closed. */
  readonly take: (socket: Socket, tunnel: OuterTunnel, hello: Hello) => Promise<InterceptEnd>;
  /**
   * Ends what has no request, within a second where none was ever sent; the others go on, and their sessions take no new
   * one.
   */
  readonly closeIdle: () => void;
  readonly close: () => void;
}

/**
 * Has a socket remember its addresses: Node.js keeps what it was asked for once, and after a reset it could not tell them
 * any more.
 */
function remember(socket: TLSSocket): void {
  connectionKey(socket);
}

export function createDecrypted(options: DecryptedOptions): Decrypted {
  /** Those whose TLS is left to the HTTP/2 server, which makes sockets of its own. */
  const open = new Map<string, Inside>();
  const insideOf = (socket: Request['socket'] & Marked): Inside | undefined =>
    socket[INSIDE] ?? open.get(connectionKey(socket));
  const sessions = new Set<ServerHttp2Session>();
  const watch = createSessionWatch();

  /** A client that sends a request has accepted the leaf; its connection may stay open for hours. */
  const count = (inside: Inside): void => {
    inside.requests += 1;
    if (inside.requests === 1 && inside.scheme === 'https') options.trusted?.(inside.clientAddress, 'accepted');
  };

  const originOn = (socket: Request['socket'], inside = insideOf(socket)): Origin & Pick<OuterTunnel, 'forwarded'> =>
    inside === undefined ? originOf(socket) : originInside(inside);

  const onRequest = (req: Request, res: Response): void => {
    const inside = insideOf(req.socket);
    const origin = originOn(req.socket, inside);
    try {
      if (inside === undefined) throw new SallyportError('internal_error', 'a request came through an unknown tunnel');
      count(inside);
      const { target, facts } = addressTunnelled(req, inside.target, inside.scheme);
      const { id, at, started, clientAddress, clientPort, user, forwarded } = origin;
      // Field by field, because this runs for each request: to spread objects costs several times as much.
      options.arrived({
        kind: 'request',
        id,
        at,
        started,
        clientAddress,
        clientPort,
        user,
        forwarded,
        target,
        facts,
        userAgent: userAgentOf(req),
        req,
        res,
        tunnel: inside,
      });
    } catch (error) {
      const { code, detail } = problem(error);
      options.rejectRequest(req, res, origin, code, detail);
    }
  };

  const onUpgrade = (req: IncomingMessage, socket: Duplex, early: Buffer): void => {
    const inside = insideOf(req.socket);
    const origin = originOn(req.socket, inside);
    try {
      if (inside === undefined) throw new SallyportError('internal_error', 'an upgrade came through an unknown tunnel');
      count(inside);
      if (isFramed(req)) throw new SallyportError('malformed_request', 'an upgrade with content');
      const addressed = addressTunnelled(req, inside.target, inside.scheme);
      options.arrived({
        kind: 'upgrade',
        ...origin,
        ...addressed,
        userAgent: userAgentOf(req),
        req,
        socket,
        early,
        tunnel: inside,
      });
    } catch (error) {
      const { code, detail } = problem(error);
      options.reject(socket, origin, code, detail);
    }
  };

  const onTlsError = (inside: Inside | undefined, error: NodeJS.ErrnoException): void => {
    if (inside?.requests !== 0) return;
    inside.error = tlsErrorCode(error);
    inside.trust = trustOf(error);
  };

  const http1 = createHttp1Server(
    {
      ...options,
      reject: (socket: Duplex & Marked, origin, code, detail) => {
        const inside = socket[INSIDE];
        if (inside === undefined) options.reject(socket, origin, code, detail);
        else {
          const { clientAddress, clientPort } = inside;
          options.reject(socket, { ...origin, clientAddress, clientPort }, code, detail);
        }
      },
    },
    onRequest,
  );
  http1.on('upgrade', (req, socket, early) => {
    admitUpgrade(http1, req, socket, early, (sent) => onUpgrade(req, socket, sent));
  });
  // Node.js would end the connection without a word.
  http1.on('connect', (req, socket, early) => {
    enterLast(socket, req, early, () =>
      options.reject(socket, originOn(req.socket), 'malformed_request', 'a CONNECT inside a tunnel that ends here'),
    );
  });

  // For clients that offer h2, all of which prefer it. TLS is left to this server: under an HTTP/2 session a TLSSocket
  // that was made by hand would hang.
  const http2 = createSecureServer({
    minVersion: 'TLSv1.2',
    handshakeTimeout: options.headTimeout,
    settings: { maxConcurrentStreams: 100, maxHeaderListSize: MAX_HEAD },
    maxHeaderListPairs: MAX_LINES,
    SNICallback(this: unknown, name, answer) {
      if (this instanceof TLSSocket) remember(this);
      try {
        answer(null, options.contextFor({ ...parseHost(name), port: 443 }, true));
      } catch (error) {
        answer(error instanceof Error ? error : new Error('no leaf'));
      }
    },
  });
  http2.on('request', onRequest);
  http2.on('checkContinue', onRequest);
  http2.on('checkExpectation', onRequest);
  // Node.js would answer by itself, and nobody would have it in a record.
  http2.on('connect', (req: Http2ServerRequest, res: Http2ServerResponse) => {
    const origin = originOn(req.socket);
    options.rejectRequest(req, res, origin, 'malformed_request', 'a CONNECT inside a tunnel that ends here');
  });
  http2.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    onTlsError(open.get(connectionKey(socket)), error);
    socket.destroy();
  });
  http2.on('session', (session) => {
    const key = connectionKey(session.socket);
    sessions.add(session);
    const below = open.get(key);
    watch.add(session, () => below?.cut());
    session.once('close', () => sessions.delete(session));
    // Under TLS 1.3 a client may judge our leaf after its handshake is over, so that the alert ends a session.
    session.on('error', (error: NodeJS.ErrnoException) => onTlsError(below, error));
    // Not `close()`, which waits for streams that a client may leave unread for ever.
    session.setTimeout(options.idleTimeout, () => session.destroy());
  });

  /** For clients without h2 or without a server name, which alone tells the server above which leaf to show. */
  const http1Tls = createInsideTls({
    ...options,
    asked(tls, inside, request) {
      const arrival = loneArrival(tls, inside, request);
      if (arrival === null) return false;
      count(inside);
      options.arrived(arrival);
      return true;
    },
    other: (tls, bytes) => handTo(http1, tls, bytes),
    silent: (tls, inside) =>
      options.reject(tls, originInside(inside), 'request_timeout', lateHead(options.headTimeout)),
    failed: onTlsError,
  });

  return {
    take(socket, tunnel, hello) {
      if (socket.destroyed) return Promise.resolve({ requests: 0, error: 'client_closed' });
      const scheme = hello.kind === 'tls' ? 'https' : 'http';
      const inside = openInside(tunnel, scheme, socket);
      const viaHttp2 = hello.kind === 'tls' && hello.serverName !== null && hello.alpn.includes('h2');
      const key = viaHttp2 ? connectionKey(socket) : null;
      if (key !== null) open.set(key, inside);
      const closed = new Promise<InterceptEnd>((resolve) => {
        socket.once('close', () => {
          if (key !== null) open.delete(key);
          const refused = inside.requests === 0 ? inside.trust : null;
          if (scheme === 'https' && refused !== null) options.trusted?.(inside.clientAddress, refused);
          resolve({ requests: inside.requests, error: inside.error });
        });
      });
      if (hello.kind !== 'tls') {
        socket.pause();
        (socket as Marked)[INSIDE] = inside;
        handTo(http1, socket, hello.bytes);
        return closed;
      }
      socket.unshift(hello.bytes);
      // A client that leaves in the middle of a handshake does so by FIN, which nobody else here would answer.
      socket.allowHalfOpen = false;
      if (viaHttp2) http2.emit('connection', socket);
      else http1Tls.serve(socket, inside, hello);
      return closed;
    },
    closeIdle() {
      http1.closeIdleConnections();
      http1Tls.closeIdle();
      for (const session of sessions) session.close();
    },
    close() {
      watch.stop();
      http1Tls.close();
      http1.close();
    },
  };
}
