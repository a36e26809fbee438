/**
 * The admin port: metrics, health and facts, for operators and their tools. Only a POST or a DELETE
 * changes anything.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { exceptionRoutes, type ExceptionsApi } from './exceptions-api.ts';
import { checkProvenance, checkToken } from './guard.ts';
import type { Refused, TokenAttempts } from './guard.ts';
import { createApp, serverOf } from './http-server.ts';
import type { HttpServer, Refusal } from './http-server.ts';
import { createRoutes } from './routes.ts';

/** What `/api/status` reports. Times are epoch milliseconds. */
export interface AdminFacts {
  readonly version: string;
  readonly nodeVersion: string;
  readonly startedAt: number;
  readonly policy: { readonly hash: string; readonly rules: number; readonly exceptions: number };
  readonly reload: {
    readonly successful: boolean;
    readonly lastSuccessAt: number;
    /** One line: file, line, what is wrong; null if the last reload succeeded. */
    readonly problem: string | null;
  };
  /** Those in force now. Only {@link AdminServerOptions.exceptions} says who requested and approved them. */
  readonly exceptions: { readonly active: number; readonly nextEndAt: number | null };
  /** `vendor` is null for a pause of every vendor. */
  readonly pauses: readonly { readonly vendor: string | null; readonly from: number; readonly until: number }[];
  /** Null without a CA. */
  readonly ca: { readonly fingerprint: string; readonly notAfter: number } | null;
}

export interface AdminServerOptions {
  readonly metrics: { render(): Promise<string>; readonly contentType: string };
  readonly health: { ready(): { readonly ok: boolean; readonly why: string } };
  readonly facts: () => AdminFacts;
  /** Names, besides its addresses, that `Host` may have, such as the server's name in a cluster. */
  readonly hosts: readonly string[];
  /** Bearer token that `/api` requires; null: `/api` answers only if the port is bound to loopback. */
  readonly token: string | null;
  readonly tokenAttempts: TokenAttempts;
  readonly exceptions?: ExceptionsApi;
  /** `host:port` of the proxy, for clients that mistake this port for it. */
  readonly proxyAt: () => string;
  readonly onFault: (id: string, error: unknown) => void;
  /** Further GET endpoints that answer JSON, by their path below `/api/`. */
  readonly lists?: Readonly<Record<string, () => object>>;
  /** Actions of a POST without a body, by their path below `/api/`. */
  readonly actions?: Readonly<Record<string, () => Promise<Done>>>;
}

/** Result of an action, sent as JSON: 200 if `done`, else 409 with the reason. */
export interface Done {
  readonly done: boolean;
}

/** No browser should render anything from this port. */
const headers = { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'" };

const refuse: Refusal = (reply, status, text, id) =>
  reply.code(status).send(id === null ? { error: text, status } : { error: text, status, id });

export function createAdminServer(options: AdminServerOptions): HttpServer {
  const { metrics, health } = options;
  const bound: string[] = [];
  const routes = createRoutes();
  // For people who try a path that other servers have, such as `/healthz`.
  const absent = (): string => `There is nothing here. Available: ${routes.shown()}.`;
  const { proxyAt, onFault } = options;
  const app = createApp({ headers, refuse, absent, methodsAt: routes.methodsAt, proxyAt, onFault });
  app.addHook('onRoute', ({ method, url }) => routes.add(method, url));

  const turnAway = (reply: FastifyReply, { status, text }: Refused): FastifyReply => {
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    if (status === 429) reply.header('retry-after', '60');
    return refuse(reply, status, text, null);
  };
  app.addHook('onRequest', async (request, reply) => {
    const refused = checkProvenance(request.raw, { hosts: options.hosts, bound });
    if (refused !== null) return turnAway(reply, refused);
  });

  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));
  app.get('/livez', (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', (_request, reply) => {
    const { ok, why } = health.ready();
    return reply
      .code(ok ? 200 : 503)
      .type('text/plain')
      .send(`${ok ? 'ok' : why}\n`);
  });

  /** Refuses a request that may not use the API; null if it may. */
  const guard = (request: FastifyRequest, reply: FastifyReply): FastifyReply | null => {
    const refused = checkToken(request.raw, options.token, bound, options.tokenAttempts);
    return refused === null ? null : turnAway(reply, refused);
  };
  const lists = { status: () => statusOf(options.facts(), Date.now()), ...options.lists };
  for (const [name, list] of Object.entries(lists)) {
    app.get(`/api/${name}`, (request, reply) => guard(request, reply) ?? reply.send(list()));
  }
  for (const [name, act] of Object.entries(options.actions ?? {})) {
    app.post(`/api/${name}`, async (request, reply) => {
      const refused = guard(request, reply);
      if (refused !== null) return refused;
      const result = await act();
      return reply.code(result.done ? 200 : 409).send(result);
    });
  }
  if (options.exceptions !== undefined) {
    exceptionRoutes(app, {
      api: options.exceptions,
      guard,
      refuse: (reply, status, text) => refuse(reply, status, text, null),
    });
  }

  return serverOf(app, ({ host }) => void bound.push(host.toLowerCase()));
}

/** The facts as JSON, with times in ISO 8601. */
function statusOf(facts: AdminFacts, now: number): object {
  const { version, nodeVersion, startedAt, policy, reload, exceptions, pauses, ca } = facts;
  return {
    version,
    nodeVersion,
    startedAt: isoTime(startedAt),
    uptimeSeconds: Math.round((now - startedAt) / 1000),
    policy,
    reload: { successful: reload.successful, lastSuccessAt: isoTime(reload.lastSuccessAt), problem: reload.problem },
    exceptions: {
      active: exceptions.active,
      nextEndAt: exceptions.nextEndAt === null ? null : isoTime(exceptions.nextEndAt),
    },
    pauses: pauses.map(({ vendor, from, until }) => ({
      vendor: vendor ?? '*',
      from: isoTime(from),
      until: isoTime(until),
    })),
    ca: ca === null ? null : { fingerprint: ca.fingerprint, notAfter: isoTime(ca.notAfter) },
  };
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
