/**
 * The speaker for connections that begin with any other HTTP request: absolute-form requests in the clear, with
 * keep-alive, upgrades, and a CONNECT that follows on the same connection.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { SallyportError, type ErrorCode } from '../errors.ts';
import type { Arrival, Rejected } from '../flow.ts';
import type { Fields } from './access.ts';
import { factsOf, originOf, userAgentOf, type Origin } from './arrival.ts';
import { MAX_HEAD, MAX_LINES } from './connect-head.ts';
import { tunnelArrival } from './connect.ts';
import type { Speaker } from './front-door.ts';
import { OVERDUE_EVERY } from './overdue.ts';
import { enterLast, enterLine, owes } from './pipeline.ts';
import { addressPlain, checkLines, hasTooManyLines } from './request.ts';
import { reset } from '../reset.ts';

export interface HttpOptions {
  /** Milliseconds for a request head, from its first byte. */
  readonly headTimeout: number;
  /** Milliseconds without a byte in either direction. */
  readonly idleTimeout: number;
  readonly arrived: (arrival: Arrival, fields: Fields) => void;
  /** A request that did not become an arrival; to be answered. */
  readonly rejectRequest: (
    req: IncomingMessage,
    res: ServerResponse,
    origin: Origin & Pick<Rejected, 'facts'>,
    code: ErrorCode,
    detail: string,
  ) => void;
  /** The same where no response object exists. It owns the socket from here on. */
  readonly reject: (socket: Duplex, origin: Origin, code: ErrorCode, detail: string) => void;
}

const method = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;

function beginsWithMethod(bytes: Buffer): 'yes' | 'no' | 'more' {
  const space = bytes.indexOf(0x20);
  const word = bytes.toString('latin1', 0, Math.min(space === -1 ? bytes.length : space, 33));
  // Empty lines before the request line are to be tolerated (RFC 9112, section 2.2); the parser behind does.
  if (bytes[0] === 0x0d || bytes[0] === 0x0a) return 'yes';
  if (!method.test(word)) return 'no';
  return space === -1 ? 'more' : 'yes';
}

/** How records call what kept a request from becoming an arrival. */
export function problem(error: unknown): { readonly code: ErrorCode; readonly detail: string } {
  if (error instanceof SallyportError) return { code: error.code, detail: error.message };
  return { code: 'internal_error', detail: 'the request could not be read' };
}

/** What Node's parser complains of, in our words. */
function clientErrorCode(error: NodeJS.ErrnoException & { readonly reason?: string }): ErrorCode {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'header_too_large';
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  // The parser says so of a bare LF behind a version that is a good one, too.
  if (error.code === 'HPE_INVALID_VERSION' && error.reason !== 'Expected CRLF after version')
    return 'version_not_supported';
  return 'malformed_request';
}

/** Settings that every HTTP/1 server here shares: those on the proxy port and those inside tunnels. */
export function createHttp1Server(
  options: Pick<HttpOptions, 'headTimeout' | 'idleTimeout' | 'reject'>,
  onRequest: (req: IncomingMessage, res: ServerResponse) => void,
): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEAD,
    insecureHTTPParser: false,
    requireHostHeader: false,
    headersTimeout: options.headTimeout,
    requestTimeout: 0,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: OVERDUE_EVERY,
  });
  // The parser drops those behind, and says nothing: one of them may frame the body, so that a head with as many is refused.
  // Of trailer fields they may be dropped (RFC 9110, section 6.5.1).
  server.maxHeadersCount = MAX_LINES;
  // Whoever waits for an origin has the same limit, and must come first to say so.
  server.timeout = options.idleTimeout + 1_000;
  const take = (req: IncomingMessage, res: ServerResponse): void => {
    enterLine(req.socket, res, () => onRequest(req, res));
  };
  server.on('request', take);
  // Without this listener Node sends "100 Continue" by itself, before anyone has decided.
  server.on('checkContinue', take);
  server.on('checkExpectation', take);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    // Only a request that is not whole can have failed; to any other it would be no answer, but would be taken for one.
    else if (owes(socket, (res) => res.headersSent || res.req.complete)) reset(socket);
    else options.reject(socket, originOf(socket), clientErrorCode(error), error.message);
  });
  // The checks of `headersTimeout` start on this event; this server never listens, it is handed its sockets.
  server.emit('listening');
  return server;
}

/** Whether it says that content comes. */
export function isFramed(req: IncomingMessage): boolean {
  return req.headers['content-length'] !== undefined || req.headers['transfer-encoding'] !== undefined;
}

/**
 * What `readConnectHead` refuses and Node's parser lets through: a CONNECT on a kept connection, or behind an empty line,
 * is not read less strictly than one that is first.
 *
 * @throws {SallyportError}
 */
function checkConnect(req: IncomingMessage): void {
  checkLines(req);
  const names = req.rawHeaders.filter((_, i) => i % 2 === 0);
  if (req.httpVersionMajor !== 1) throw new SallyportError('version_not_supported', `HTTP/${req.httpVersion}`);
  if (isFramed(req)) throw new SallyportError('malformed_request', 'a CONNECT has no content');
  if (names.filter((name) => name.toLowerCase() === 'host').length > 1)
    throw new SallyportError('malformed_request', 'more than one Host field');
}

/** Hands a socket that nobody hears to a server that never listened, with what was read of it before. */
export function handTo(server: Server, socket: Duplex, bytes: Buffer): void {
  if (bytes.length > 0) socket.unshift(bytes);
  server.emit('connection', socket);
  // The server's listener starts no stream that somebody paused.
  socket.resume();
}

/** What `Connection` says, without the wish to switch: the fields that it names stay for this connection only. */
function withoutSwitch(connection: string): string {
  const options = connection.split(',').map((option) => option.trim());
  return options.filter((option) => !/^(?:upgrade|http2-settings)?$/i.test(option)).join(', ');
}

/** The head of a request again, without its wish to switch protocols. */
function withoutUpgrade(req: IncomingMessage): Buffer {
  const lines = [`${req.method ?? 'GET'} ${req.url ?? '/'} HTTP/${req.httpVersion}`];
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = req.rawHeaders.slice(i, i + 2);
    if (/^(?:upgrade|http2-settings)$/i.test(name)) continue;
    lines.push(`${name}: ${/^connection$/i.test(name) ? withoutSwitch(value) : value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** Out of the raw fields: of some that come twice Node keeps the first, of others it makes one. */
function fieldsOf(req: IncomingMessage): Fields {
  return (wanted) => req.rawHeaders.filter((_, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === wanted);
}

/**
 * Lets in a request to switch to a WebSocket, the only protocol that is granted. h2c and TLS upgrades are hop-by-hop
 * wishes: such a request goes on as if it had none. Either waits until the answers to earlier requests are out.
 *
 * @param server reads the request again where its wish is not granted.
 * @param judge is given what came behind the request.
 */
export function admitUpgrade(
  server: Server,
  req: IncomingMessage,
  socket: Duplex,
  early: Buffer,
  judge: (early: Buffer) => void,
): void {
  // A client of HTTP/1.0 has no such wish, whatever it says (RFC 9110, section 7.8).
  const isWebSocket = req.headers.upgrade?.toLowerCase() === 'websocket' && req.httpVersion !== '1.0';
  // It would not be the same request if it was read again: some of its fields are not here.
  const isJudged = isWebSocket || hasTooManyLines(req);
  enterLast(socket, req, early, (sent) => {
    if (isJudged) judge(sent);
    else handTo(server, socket, Buffer.concat([withoutUpgrade(req), sent]));
  });
}

export interface HttpSpeaker extends Speaker {
  /** Ends kept-alive connections that have no request; the others go on. */
  readonly closeIdle: () => void;
  readonly close: () => void;
}

export function createHttpSpeaker(options: HttpOptions): HttpSpeaker {
  const { arrived, reject } = options;
  const server = createHttp1Server(options, (req, res) => {
    const origin = originOf(req.socket);
    try {
      const { target, facts } = addressPlain(req);
      const { id, at, started, clientAddress, clientPort } = origin;
      const userAgent = userAgentOf(req);
      // Field by field, because this runs for each request: to spread objects costs several times as much.
      arrived(
        {
          kind: 'request',
          id,
          at,
          started,
          clientAddress,
          clientPort,
          target,
          facts,
          userAgent,
          req,
          res,
          tunnel: null,
        },
        fieldsOf(req),
      );
    } catch (error) {
      const { code, detail } = problem(error);
      const facts = factsOf(req, 'http', req.url ?? '') ?? undefined;
      options.rejectRequest(req, res, { ...origin, facts }, code, detail);
    }
  });

  const onUpgrade = (req: IncomingMessage, socket: Duplex, early: Buffer): void => {
    const origin = originOf(req.socket);
    try {
      const addressed = addressPlain(req);
      if (isFramed(req)) throw new SallyportError('malformed_request', 'an upgrade with content');
      const userAgent = userAgentOf(req);
      arrived({ kind: 'upgrade', ...origin, ...addressed, userAgent, req, socket, early, tunnel: null }, fieldsOf(req));
    } catch (error) {
      const { code, detail } = problem(error);
      reject(socket, origin, code, detail);
    }
  };
  server.on('upgrade', (req, socket, early) => {
    admitUpgrade(server, req, socket, early, (sent) => onUpgrade(req, socket, sent));
  });

  const onConnect = (req: IncomingMessage, socket: Duplex, early: Buffer): void => {
    const origin = originOf(req.socket);
    try {
      checkConnect(req);
      arrived(
        tunnelArrival(req.socket, { authority: req.url ?? '', userAgent: userAgentOf(req) }, early, origin),
        fieldsOf(req),
      );
    } catch (error) {
      const { code, detail } = problem(error);
      reject(socket, origin, code, detail);
    }
  };
  server.on('connect', (req, socket, early) => {
    enterLast(socket, req, early, (sent) => onConnect(req, socket, sent));
  });

  return {
    name: 'http',
    recognises: beginsWithMethod,
    serve(socket, bytes) {
      handTo(server, socket, bytes);
      return 'taken';
    },
    closeIdle: () => server.closeIdleConnections(),
    close: () => {
      server.close();
    },
  };
}
