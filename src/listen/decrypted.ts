/**
 * Requests inside intercepted tunnels: TLS to a denied host ends here, and each request in it becomes an arrival that
 * is handled like one in the clear. A tunnel that carries HTTP without TLS is read the same way.
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
import { createHttp1Server, handTo, problem } from './http.ts';
import { INSIDE, openInside, originInside, type Inside, type Marked } from './inside.ts';
import { createInsideTls } from './inside-tls.ts';
import { tlsErrorCode, trustOf } from './leaf-trust.ts';
import { loneArrival } from './lone.ts';
import { lateHead } from './overdue.ts';
import { connectionKey } from './peers.ts';
import { enterLast } from './pipeline.ts';
import { addressTunnelled } from './request.ts';
import { closeWithoutMark } from './session-close.ts';
import { createSessionWatch } from './session-watch.ts';
import { parseHost } from './target.ts';
import { admitUpgrade, connectionOf } from './upgrade.ts';

export interface DecryptedOptions {
  /** Milliseconds for the TLS handshake, and for each request head. */
  readonly headTimeout: number;
  /** Milliseconds that a connection may be idle. */
  readonly idleTimeout: number;
  /**
   * A context with a leaf for exactly this name, with session tickets if `resumable`. Synchronous, as it runs inside
   * the handshake.
   */
  readonly contextFor: (target: Target, resumable: boolean) => SecureContext;
  readonly arrived: (arrival: Answerable | UpgradeArrival) => void;
  readonly rejectRequest: (req: Request, res: Response, origin: Origin, code: ErrorCode, detail: string) => void;
  readonly reject: (socket: Duplex, origin: Origin, code: ErrorCode, detail: string) => void;
  /**
   * Called once for each TLS client with its reaction to the leaf: at its first request, or when it closes without one.
   */
  readonly trusted?: (clientAddress: string, result: TrustResult) => void;
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** How the client's side of an intercepted tunnel ended. */
export interface InterceptEnd {
  /** Requests that were read in it. */
  readonly requests: number;
  readonly error: ErrorCode | null;
}

export interface Decrypted {
  /** Takes over the socket of a tunnel, which nobody is reading; resolves when it is closed. */
  readonly take: (socket: Socket, tunnel: OuterTunnel, hello: Hello) => Promise<InterceptEnd>;
  /**
   * Closes connections without a request in progress, within a second if they never had one. The others finish, but
   * their sessions accept no new request.
   */
  readonly closeIdle: () => void;
  readonly close: () => void;
}

/** Makes a socket cache its addresses: after a reset Node.js could no longer tell them. */
function remember(socket: TLSSocket): void {
  connectionKey(socket);
}

export function createDecrypted(options: DecryptedOptions): Decrypted {
  /** Connections whose TLS the HTTP/2 server handles, which creates sockets of its own. */
  const open = new Map<string, Inside>();
  const insideOf = (socket: Request['socket'] & Marked): Inside | undefined =>
    socket[INSIDE] ?? open.get(connectionKey(socket));
  const sessions = new Set<ServerHttp2Session>();
  const leaving = new WeakSet<ServerHttp2Session>();
  const watch = createSessionWatch();

  /** A client that sends a request has accepted the leaf, and its connection may stay open for hours. */
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
      // Field by field, because this runs for each request and spreading objects costs several times as much.
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
    const decline = (bytes: Buffer): void => handTo(http1, socket, bytes);
    admitUpgrade(req, socket, early, decline, (sent) => onUpgrade(req, socket, sent));
  });
  // Node.js would close the connection without a response.
  http1.on('connect', (req, stream, early) => {
    const socket = connectionOf(req, stream);
    enterLast(socket, req, early, () =>
      options.reject(socket, originOn(req.socket), 'malformed_request', 'a CONNECT inside a tunnel that ends here'),
    );
  });

  // For clients that offer h2, all of which prefer it. This server handles TLS itself: an HTTP/2 session on a TLSSocket
  // that was created by hand would hang.
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
  // Node.js would answer by itself, and the request would not be recorded.
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
    closeWithoutMark(session, options.headTimeout);
    watch.add(session, () => below?.cut());
    session.once('close', () => sessions.delete(session));
    // With TLS 1.3 a client may reject our leaf after its handshake is complete, so the alert arrives in the session.
    session.on('error', (error: NodeJS.ErrnoException) => onTlsError(below, error));
    // To close it would mean to wait for streams that a client may never read.
    session.setTimeout(options.idleTimeout, () => session.destroy());
  });

  /** For clients without h2, or without a server name, by which the server above selects the leaf. */
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
          // A client may have come back from the same port before its last connection was seen to close.
          if (key !== null && open.get(key) === inside) open.delete(key);
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
      // A client that leaves during a handshake sends a FIN, which nothing else here would answer.
      socket.allowHalfOpen = false;
      if (viaHttp2) http2.emit('connection', socket);
      else http1Tls.serve(socket, inside, hello);
      return closed;
    },
    closeIdle() {
      http1.closeIdleConnections();
      http1Tls.closeIdle();
      for (const session of sessions) {
        // While draining, this is called again and again.
        if (session.destroyed || leaving.has(session)) continue;
        leaving.add(session);
        session.goaway();
        session.close();
      }
    },
    close() {
      watch.stop();
      http1Tls.close();
      http1.close();
    },
  };
}
