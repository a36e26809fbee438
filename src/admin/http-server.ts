/** The HTTP server behind the admin port and the pages port. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';

export interface Address {
  /** The address or name to listen on. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface HttpServer {
  /** Resolves with the bound address. Rejects with the system's error if it cannot be bound. */
  listen(address: Address): Promise<Address>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Sends an error in the server's own format. `id` is the reference in the log; null: nothing was logged. */
export type Refusal = (reply: FastifyReply, status: number, text: string, id: string | null) => FastifyReply;

export interface HttpServerOptions {
  /** Added to every response, besides `X-Content-Type-Options` and the like. */
  readonly headers: Readonly<Record<string, string>>;
  readonly refuse: Refusal;
  /** Text of a 404. */
  readonly absent?: () => string;
  /** The methods of a path, for a 405; absent: a request with another method gets 404. */
  readonly methodsAt?: (path: string) => readonly string[];
  /** `host:port` of the proxy, for clients that mistake this port for it. */
  readonly proxyAt: () => string;
  /** Called with an internal error and the id that the response shows. */
  readonly onFault: (id: string, error: unknown) => void;
  /** Key by which a client's connections are counted; absent: its address. */
  readonly clientKey?: ((address: string) => string) | undefined;
}

const bodyLimit = 64 * 1024;
const maxHeaderSize = 16 * 1024;
/** Milliseconds. */
const limits = { headers: 10_000, request: 30_000, keepAlive: 5_000, checkEvery: 2_000 };
const maxConnections = 512;
/** Per client, so that no client alone can keep others from the pages. */
const maxOfClient = 128;

const commonHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/** Milliseconds that a refused CONNECT is given to read its answer. */
const LINGER = 1_000;

/**
 * Answers a CONNECT, which Node.js would close without a response, with 405 (RFC 9110, section 15.5.6): a user who
 * configured this port as the proxy learns which one to use.
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

/** The connections of one client: idle ones, in the order in which they became idle, and those with a request. */
interface Share {
  readonly waiting: Set<Socket>;
  readonly asking: Set<Socket>;
}

/**
 * Limits the connections of each client: beyond the limit its oldest idle connection is closed, or the new one if none
 * is idle. A connection that never completes a request head counts as idle.
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

/** A server without routes. It ignores `X-Forwarded-*`, and never shows a stack or the message of an internal error. */
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
    // Unknown keys are an error, and strings are not converted to numbers.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    requestTimeout: limits.request,
    keepAliveTimeout: limits.keepAlive,
    forceCloseConnections: true,
    http: { maxHeaderSize, headersTimeout: limits.headers, connectionsCheckingInterval: limits.checkEvery },
    // A path with invalid percent-encoding is 404, like any other unknown path.
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

/** Opens and closes `app`. `onListen` gets the bound address before the first request is served. */
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

/** A client error whose message may be shown to the client. */
export class RequestFault extends Error {
  readonly statusCode = 400;
}

function clientText(error: unknown, status: number): string {
  if (error instanceof RequestFault) return error.message;
  if (status === 413) return `The body is larger than ${bodyLimit / 1024} KiB.`;
  return status === 415 ? 'The body must be JSON: send Content-Type: application/json.' : 'The request is not valid.';
}

/** The 4xx status of an error, or null. */
function clientStatus(error: unknown): number | null {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return null;
  return error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : null;
}
