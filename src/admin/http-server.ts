/**
 * What the admin port and the pages port have in common: a Fastify server that trusts nobody.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';

export interface Address {
  /** An address or a name to listen on. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface HttpServer {
  /** Returns the address in use. @throws where it cannot be used, in the words of the system. */
  listen(address: Address): Promise<Address>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** How a server says no, in its own language. `id` is in the log too. */
export type Refusal = (reply: FastifyReply, status: number, text: string, id: string | null) => FastifyReply;

export interface HttpServerOptions {
  /** On every answer, beside `X-Content-Type-Options` and the like. */
  readonly headers: Readonly<Record<string, string>>;
  readonly refuse: Refusal;
  /** What to say where there is nothing. */
  readonly absent?: () => string;
  /** The methods of a path, which a request by another is told; absent: it is told that there is nothing. */
  readonly methodsAt?: (path: string) => readonly string[];
  /** Where the proxy is, `host:port`, for clients that take this port for it. */
  readonly proxyAt: () => string;
  /** Hears of what went wrong while a request was answered, under the id that the answer shows. */
  readonly onFault: (id: string, error: unknown) => void;
  /** What the connections of one client are counted by; absent: its address. */
  readonly clientKey?: ((address: string) => string) | undefined;
}

const bodyLimit = 64 * 1024;
const maxHeaderSize = 16 * 1024;
/** Milliseconds. */
const limits = { headers: 10_000, request: 30_000, keepAlive: 5_000, checkEvery: 2_000 };
const maxConnections = 512;
/** Of one client: nobody alone keeps people from the pages that they are sent to. */
const maxOfClient = 128;

const commonHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/** Milliseconds for a client that was told to go elsewhere to read that. */
const LINGER = 1_000;

/**
 * Answers a CONNECT, which Node.js would end without a word: whoever set this port as the proxy learns which one is
 * meant (405, RFC 9110, section 15.5.6).
 */
function answerConnect(socket: Duplex, proxyAt: string): void {
  const body = `This is not the proxy: set ${proxyAt} as the proxy.\n`;
  const fields = [
    'Allow: GET, HEAD',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.on('error', () => socket.destroy()).once('close', () => clearTimeout(timer));
  socket.resume().end(`HTTP/1.1 405 Method Not Allowed\r\n${fields.join('\r\n')}\r\n\r\n${body}`);
}

/** The connections of one client: in the order in which they came to wait for a request, and those that have one. */
interface Share {
  readonly waiting: Set<Socket>;
  readonly asking: Set<Socket>;
}

/**
 * Closes what one client opens beyond its share: the oldest connection that has no request under way, or the new one where
 * all have. Half a head, held open, keeps nobody out who asks.
 */
function shareOut(server: Server, clientKey: (address: string) => string): void {
  const open = new Map<string, Share>();
  const shares = new WeakMap<Socket, Share>();
  server.on('connection', (socket: Socket) => {
    const client = clientKey(socket.remoteAddress ?? '');
    const mine: Share = open.get(client) ?? { waiting: new Set(), asking: new Set() };
    open.set(client, mine);
    shares.set(socket, mine);
    mine.waiting.add(socket);
    socket.once('close', () => {
      mine.waiting.delete(socket);
      mine.asking.delete(socket);
      if (mine.waiting.size + mine.asking.size === 0) open.delete(client);
    });
    if (mine.waiting.size + mine.asking.size <= maxOfClient) return;
    const [oldest = socket] = mine.waiting;
    mine.waiting.delete(oldest);
    oldest.destroy();
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const mine = shares.get(socket);
    if (mine?.waiting.delete(socket) !== true) return;
    mine.asking.add(socket);
    response.once('close', () => {
      if (mine.asking.delete(socket)) mine.waiting.add(socket);
    });
  });
}

/** A server without routes. `X-Forwarded-*` is ignored, and no answer shows a stack or the text of an exception. */
export function createApp(options: HttpServerOptions): FastifyInstance {
  const { headers, refuse, absent = () => 'There is nothing here.', methodsAt, proxyAt, onFault, clientKey } = options;
  const all = { ...commonHeaders, ...headers };
  const refuseFault = (reply: FastifyReply, error: unknown): FastifyReply => {
    reply.headers(all);
    const status = clientStatus(error);
    if (status !== null) return refuse(reply, status, clientText(error, status), null);
    const id = randomBytes(12).toString('hex');
    onFault(id, error);
    return refuse(reply, 500, 'Something went wrong here.', id);
  };
  const app = fastify({
    logger: false,
    trustProxy: false,
    bodyLimit,
    // What a request has too much of is an error, and no text becomes a number.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    requestTimeout: limits.request,
    keepAliveTimeout: limits.keepAlive,
    forceCloseConnections: true,
    http: { maxHeaderSize, headersTimeout: limits.headers, connectionsCheckingInterval: limits.checkEvery },
    // A path that is not valid percent-encoding leads nowhere, like any other unknown path.
    frameworkErrors: (_error, _request, reply) => void refuse(reply.headers(all), 404, absent(), null),
  });
  app.server.maxConnections = maxConnections;
  shareOut(app.server, clientKey ?? ((address) => address));
  app.server.on('connect', (_request, socket) => answerConnect(socket, proxyAt()));
  app.addHook('onRequest', async (_request, reply) => void reply.headers(all));
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsAt?.(request.url) ?? [];
    if (methods.length === 0) return refuse(reply, 404, absent(), null);
    // RFC 9110, section 15.5.6
    reply.header('allow', methods.join(', '));
    return refuse(reply, 405, `${request.method} is not allowed here. Use ${methods.join(' or ')}.`, null);
  });
  app.setErrorHandler((error, _request, reply) => refuseFault(reply, error));
  return app;
}

/** Opens and closes `app`. `onListen` hears the address in use before the first request. */
export function serverOf(app: FastifyInstance, onListen: (address: Address) => void = () => undefined): HttpServer {
  return {
    async listen({ host, port }) {
      onListen({ host, port });
      await app.listen({ host, port });
      const bound = app.server.address();
      const address =
        bound === null || typeof bound === 'string' ? { host, port } : { host: bound.address, port: bound.port };
      onListen(address);
      return address;
    },
    close: () => app.close(),
  };
}

/** What a client did wrong, in words that it may be shown. */
export class RequestFault extends Error {
  readonly statusCode = 400;
}

function clientText(error: unknown, status: number): string {
  if (error instanceof RequestFault) return error.message;
  if (status === 413) return `The body is larger than ${bodyLimit / 1024} KiB.`;
  return status === 415 ? 'The body must be JSON: send Content-Type: application/json.' : 'The request is not valid.';
}

/** The status of an error that the client is to blame for, or null. */
function clientStatus(error: unknown): number | null {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return null;
  return error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : null;
}
