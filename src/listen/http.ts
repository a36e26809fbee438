/**
 * The speaker for connections that begin with any other HTTP request: absolute-form requests in the clear, keep-alive,
 * upgrades, and a CONNECT that follows on the same connection.
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
import { addressPlain, checkLines, announcesContent } from './request.ts';
import { tellBroken } from '../broken-request.ts';
import { joinPieces } from '../join-pieces.ts';
import { reset } from '../reset.ts';
import { admitUpgrade, connectionOf, mayUpgrade, wasDeclined, type UpgradeOptions } from './upgrade.ts';

export interface HttpOptions {
  /** Milliseconds for a request head, from its first byte. */
  readonly headTimeout: number;
  /** Milliseconds without a byte in either direction. */
  readonly idleTimeout: number;
  readonly arrived: (arrival: Arrival, fields: Fields) => void;
  /** Answers a request that could not become an arrival. */
  readonly rejectRequest: (
    req: IncomingMessage,
    res: ServerResponse,
    origin: Origin & Pick<Rejected, 'facts'>,
    code: ErrorCode,
    detail: string,
  ) => void;
  /** The same without a response object. Owns the socket from then on. */
  readonly reject: (socket: Duplex, origin: Origin, code: ErrorCode, detail: string) => void;
}

const method = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;

function beginsWithMethod(bytes: Buffer): 'yes' | 'no' | 'more' {
  const space = bytes.indexOf(0x20);
  const word = bytes.toString('latin1', 0, Math.min(space === -1 ? bytes.length : space, 33));
  // Empty lines before the request line should be tolerated (RFC 9112, section 2.2), which the parser does.
  if (bytes[0] === 0x0d || bytes[0] === 0x0a) return 'yes';
  if (!method.test(word)) return 'no';
  return space === -1 ? 'more' : 'yes';
}

/** The error code and detail to record for a request that could not become an arrival. */
export function problem(error: unknown): { readonly code: ErrorCode; readonly detail: string } {
  if (error instanceof SallyportError) return { code: error.code, detail: error.message };
  return { code: 'internal_error', detail: 'the request could not be read' };
}

/** Our error code for an error of Node's parser. */
function clientErrorCode(error: NodeJS.ErrnoException & { readonly reason?: string }): ErrorCode {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'header_too_large';
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  // The parser also reports this for a bare LF after a valid version.
  if (error.code === 'HPE_INVALID_VERSION' && error.reason !== 'Expected CRLF after version')
    return 'version_not_supported';
  return 'malformed_request';
}

/** An HTTP/1 server with the settings that the proxy port and intercepted tunnels share. */
export function createHttp1Server(
  options: Pick<HttpOptions, 'headTimeout' | 'idleTimeout' | 'reject'>,
  onRequest: (req: IncomingMessage, res: ServerResponse) => void,
): Server {
  const settings: UpgradeOptions = {
    maxHeaderSize: MAX_HEAD,
    insecureHTTPParser: false,
    requireHostHeader: false,
    headersTimeout: options.headTimeout,
    requestTimeout: 0,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: OVERDUE_EVERY,
    shouldUpgradeCallback: mayUpgrade,
  };
  const server = createServer(settings);
  // The parser silently drops further fields, one of which may frame the body, so a head with this many is refused.
  // Trailer fields may be dropped (RFC 9110, section 6.5.1).
  server.maxHeadersCount = MAX_LINES;
  // Forwarding has the same limit, and must time out first to answer.
  server.timeout = options.idleTimeout + 1_000;
  const take = (req: IncomingMessage, res: ServerResponse): void => {
    if (req.headers['transfer-encoding'] !== undefined) joinPieces(req);
    if (wasDeclined(req)) res.shouldKeepAlive = false;
    enterLine(req.socket, res, () => onRequest(req, res));
  };
  server.on('request', take);
  // Without this listener Node sends "100 Continue" before anything is decided.
  server.on('checkContinue', take);
  server.on('checkExpectation', take);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // The connection has reached its lifetime, and is about to be reset.
    if (error instanceof SallyportError) return;
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    // Only an incomplete request can have failed: after a complete one, an error would be taken for its response.
    else if (owes(socket, (res) => res.headersSent || res.req.complete)) reset(socket);
    else {
      const code = clientErrorCode(error);
      const hasLeft = error.code === 'HPE_INVALID_EOF_STATE';
      // One that has become an attempt is answered and recorded as such.
      if (!owes(socket, (res) => tellBroken(res, hasLeft ? 'client_closed' : code)))
        options.reject(socket, originOf(socket), code, error.message);
    }
  });
  // Starts the checks of `headersTimeout`; this server never listens itself.
  server.emit('listening');
  return server;
}

/**
 * Checks that `readConnectHead` makes and Node's parser does not: a CONNECT on a kept-alive connection, or after an
 * empty line, must be read as strictly as one that comes first.
 *
 * @throws {SallyportError}
 */
function checkConnect(req: IncomingMessage): void {
  checkLines(req);
  const names = req.rawHeaders.filter((_, i) => i % 2 === 0);
  if (req.httpVersionMajor !== 1) throw new SallyportError('version_not_supported', `HTTP/${req.httpVersion}`);
  if (announcesContent(req)) throw new SallyportError('malformed_request', 'a CONNECT has no content');
  if (names.filter((name) => name.toLowerCase() === 'host').length > 1)
    throw new SallyportError('malformed_request', 'more than one Host field');
}

/** Gives a socket that nobody is reading, and the bytes that were read, to a server that does not listen itself. */
export function handTo(server: Server, socket: Duplex, bytes: Buffer): void {
  if (bytes.length > 0) socket.unshift(bytes);
  server.emit('connection', socket);
  // The server does not resume a stream that was paused.
  socket.resume();
}

/** From the raw fields: of repeated fields Node keeps only the first of some, and joins others. */
function fieldsOf(req: IncomingMessage): Fields {
  return (wanted) => req.rawHeaders.filter((_, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === wanted);
}

export interface HttpSpeaker extends Speaker {
  /** Closes kept-alive connections without a request in progress. */
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
      // Field by field, because this runs for each request and spreading objects costs several times as much.
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
      const userAgent = userAgentOf(req);
      arrived({ kind: 'upgrade', ...origin, ...addressed, userAgent, req, socket, early, tunnel: null }, fieldsOf(req));
    } catch (error) {
      const { code, detail } = problem(error);
      reject(socket, origin, code, detail);
    }
  };
  server.on('upgrade', (req, socket, early) => {
    const decline = (bytes: Buffer): void => handTo(server, socket, bytes);
    admitUpgrade(req, socket, early, decline, (sent) => onUpgrade(req, socket, sent));
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
  server.on('connect', (req, stream, early) => {
    const socket = connectionOf(req, stream);
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
