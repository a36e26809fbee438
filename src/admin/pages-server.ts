/**
 * The pages port: home page, built-in assistant page, details of a block, PAC file and CA certificate. Links use the
 * configured name; `Host` and `X-Forwarded-*` of a request are not trusted.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { peerAddress } from '../ip.ts';
import { hostOf } from './guard.ts';
import { createApp, serverOf } from './http-server.ts';
import type { HttpServer, Refusal } from './http-server.ts';
import { pacFile } from './pac.ts';
import type { PacSettings } from './pac.ts';

/** A complete page with its Content-Security-Policy. */
export interface Page {
  readonly html: string;
  readonly csp: string;
  readonly language: string;
}

/** The client of a page. */
export interface Visitor {
  readonly address: string;
  /** The host by which the page was requested, not trustworthy; empty if it is invalid. */
  readonly host: string;
  /** `Accept-Language` as sent; empty if it was not. */
  readonly acceptLanguage: string;
}

/** Renders the pages. `token` and `id` come from the URL and are not trustworthy. */
export interface Pages {
  home(visitor: Visitor): Page;
  /** `token` is the signed context that a redirect added, not yet verified; null if there is none. */
  assistant(token: string | null, visitor: Visitor): Page;
  /** Null if there is no such block, or it was another client's. */
  blocked(id: string, visitor: Visitor): Page | null;
  notFound(visitor: Visitor): Page;
}

export interface PagesServerOptions {
  readonly pages: Pages;
  readonly pac: () => PacSettings;
  /** The CA certificate, never its key; null if there is none. */
  readonly ca: () => { readonly pem: string; readonly der: Buffer } | null;
  /** `host:port` of the proxy, for clients that mistake this port for it. */
  readonly proxyAt: () => string;
  readonly onFault: (id: string, error: unknown) => void;
  /** Key by which a client's connections are counted; absent: its address. */
  readonly clientKey?: ((address: string) => string) | undefined;
}

/** Defaults; each page has a Content-Security-Policy of its own. */
const headers = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** Seconds that clients may cache the PAC file. */
const pacMaxAge = 300;

/** The id of a request: 96 random bits in hexadecimal. */
const idPattern = /^[0-9a-f]{24}$/;

/** Characters; a signed context is always shorter. */
const tokenLimit = 4096;

/** @throws ConfigError for settings that make no valid PAC file. */
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
    host: hostOf(request.headers.host ?? ''),
    acceptLanguage: request.headers['accept-language'] ?? '',
  };
}
