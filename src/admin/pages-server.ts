/**
 * The pages port: what people see. Home, the built-in assistant stand-in, the details of a block, the proxy
 * configuration file and the CA certificate. Every link points to the configured name; what a request says about
 * names and addresses (`Host`, `X-Forwarded-*`) is not believed.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { peerAddress } from '../ip.ts';
import { createApp, serverOf } from './http-server.ts';
import type { HttpServer, Refusal } from './http-server.ts';
import { pacFile } from './pac.ts';
import type { PacSettings } from './pac.ts';

/** A complete page with the Content-Security-Policy that it needs. */
export interface Page {
  readonly html: string;
  readonly csp: string;
  readonly language: string;
}

/** Who looks at a page. */
export interface Visitor {
  readonly address: string;
  /** `Accept-Language` as it was sent; empty where it was not. */
  readonly acceptLanguage: string;
}

/** Makes the pages. `token` and `id` come from the address line, so from anybody. */
export interface Pages {
  home(visitor: Visitor): Page;
  /** `token` is the signed context that a redirect brought along, not yet verified; null where there is none. */
  assistant(token: string | null, visitor: Visitor): Page;
  /** Null where there is no such block, or it was another client's. */
  blocked(id: string, visitor: Visitor): Page | null;
  notFound(visitor: Visitor): Page;
}

export interface PagesServerOptions {
  readonly pages: Pages;
  readonly pac: () => PacSettings;
  /** The CA certificate, or null where there is none. Never the key. */
  readonly ca: () => { readonly pem: string; readonly der: Buffer } | null;
  /** Where the proxy is, `host:port`, for clients that take this port for it. */
  readonly proxyAt: () => string;
  readonly onFault: (id: string, error: unknown) => void;
  /** What the connections of one client are counted by; absent: its address. */
  readonly clientKey?: ((address: string) => string) | undefined;
}

/** What no page may do, unless its own policy says so. */
const headers = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** How long clients keep the proxy configuration file, seconds. */
const pacMaxAge = 300;

/** An arrival's id: 96 random bits in hexadecimal. */
const idPattern = /^[0-9a-f]{24}$/;

/** Signed contexts are short; more than this is not one. */
const tokenLimit = 4096;

/** @throws ConfigError for settings that no proxy configuration file can be made of. */
export function createPagesServer({ pages, pac, ca, proxyAt, onFault, clientKey }: PagesServerOptions): HttpServer {
  pacFile(pac());
  const app = createApp({ headers, refuse: refuseWith(pages), proxyAt, onFault, clientKey });
  const notFound = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    sendPage(reply.code(404), pages.notFound(visitorOf(request)));

  app.get('/', (request, reply) => sendPage(reply, pages.home(visitorOf(request))));
  app.get('/assistant', (request, reply) => sendPage(reply, pages.assistant(tokenOf(request), visitorOf(request))));
  app.get<{ Params: { id: string } }>('/blocked/:id', (request, reply) => {
    const { id } = request.params;
    const page = idPattern.test(id) ? pages.blocked(id, visitorOf(request)) : null;
    return page === null ? notFound(request, reply) : sendPage(reply, page);
  });
  for (const path of ['/proxy.pac', '/wpad.dat']) {
    app.get(path, (_request, reply) =>
      reply
        .type('application/x-ns-proxy-autoconfig')
        .header('cache-control', `max-age=${pacMaxAge}`)
        .send(pacFile(pac())),
    );
  }
  app.get('/ca.pem', (request, reply) => {
    const certificate = ca();
    return certificate === null
      ? notFound(request, reply)
      : download(reply, 'sallyport-ca.pem', 'application/x-pem-file', Buffer.from(certificate.pem));
  });
  app.get('/ca.crt', (request, reply) => {
    const certificate = ca();
    return certificate === null
      ? notFound(request, reply)
      : download(reply, 'sallyport-ca.crt', 'application/x-x509-ca-cert', certificate.der);
  });
  app.get('/livez', (_request, reply) => reply.type('text/plain').send('ok\n'));
  return serverOf(app);
}

function refuseWith(pages: Pages): Refusal {
  return (reply, status, text, id) => {
    if (status === 404) return sendPage(reply.code(404), pages.notFound(visitorOf(reply.request)));
    return reply
      .code(status)
      .type('text/plain')
      .send(id === null ? `${text}\n` : `${text} Quote the id ${id} when you report it.\n`);
  };
}

function sendPage(reply: FastifyReply, page: Page): FastifyReply {
  return reply
    .header('content-security-policy', page.csp)
    .header('content-language', page.language)
    .type('text/html; charset=utf-8')
    .send(page.html);
}

function download(reply: FastifyReply, name: string, type: string, body: Buffer): FastifyReply {
  return reply.type(type).header('content-disposition', `attachment; filename="${name}"`).send(body);
}

function tokenOf({ query }: FastifyRequest): string | null {
  if (typeof query !== 'object' || query === null || !('sallyport' in query)) return null;
  const token = query.sallyport;
  return typeof token === 'string' && token.length <= tokenLimit ? token : null;
}

function visitorOf(request: FastifyRequest): Visitor {
  return {
    address: peerAddress(request.raw.socket.remoteAddress),
    acceptLanguage: request.headers['accept-language'] ?? '',
  };
}
