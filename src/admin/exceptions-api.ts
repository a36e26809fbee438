/** Exceptions and pauses over the admin port. After a success the change is on disk and in force. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RequestFault } from './http-server.ts';
import { jsonFault, noBody, repeatedKey } from './json.ts';
import { requestFault } from './request-fault.ts';
import type { KeyedSchema, Violation } from './request-fault.ts';

export type Changed =
  | { readonly ok: true; readonly entries: readonly object[] }
  | { readonly ok: false; readonly status: 400 | 404 | 409 | 503; readonly text: string };

/** A requested exception; `until` may be a duration, such as `30d`. */
export interface WantedException {
  readonly id?: string;
  readonly vendors?: readonly string[];
  readonly products?: readonly string[];
  readonly channels?: readonly string[];
  readonly tags?: readonly string[];
  readonly risks?: readonly string[];
  readonly domains?: readonly string[];
  readonly lists?: readonly string[];
  readonly groups?: readonly string[];
  readonly sites?: readonly string[];
  readonly users?: readonly string[];
  readonly networks?: readonly string[];
  readonly from?: string;
  readonly until: string;
  readonly approved_by: string;
  readonly ticket?: string;
  readonly reason: string;
  /** Ends exceptions that cover the same, and replaces them. */
  readonly replace?: boolean;
}

export interface WantedPause {
  /** `*`: every vendor. */
  readonly vendor: string;
  /** A duration, such as `30m`. */
  readonly for: string;
  readonly reason?: string;
}

export interface Asker {
  /** Name for the record. */
  readonly by: string;
  /** Whether the client has disconnected. Then no change is made: it would not learn of it, and might send it again. */
  readonly gone: () => boolean;
}

export interface ExceptionsApi {
  /** @param all include those that have ended. */
  readonly list: (all: boolean) => object;
  readonly add: (wanted: WantedException, asker: Asker) => Promise<Changed>;
  readonly revoke: (id: string, asker: Asker) => Promise<Changed>;
  readonly pause: (wanted: WantedPause, asker: Asker) => Promise<Changed>;
  readonly resume: (vendor: string, asker: Asker) => Promise<Changed>;
}

export interface ExceptionRoutesOptions {
  readonly api: ExceptionsApi;
  /** Refuses a request that may not use the API; null if it may. */
  readonly guard: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | null;
  readonly refuse: (reply: FastifyReply, status: number, text: string) => FastifyReply;
}

/** Recorded as the requester if the request names none. */
const nobodyNamed = 'admin API';

const text = { type: 'string', minLength: 1, maxLength: 1000 } as const;
const list = { type: 'array', minItems: 1, maxItems: 1000, items: text } as const;
const strict = { type: 'object', additionalProperties: false } as const;
const by = { by: text } as const;

const exceptionBody = {
  ...strict,
  required: ['until', 'approved_by', 'reason'],
  properties: {
    id: text,
    vendors: list,
    products: list,
    channels: list,
    tags: list,
    risks: list,
    domains: list,
    lists: list,
    groups: list,
    sites: list,
    users: list,
    networks: list,
    from: text,
    until: text,
    approved_by: text,
    ticket: text,
    reason: text,
    replace: { type: 'boolean' },
    ...by,
  },
} as const;

const pauseBody = {
  ...strict,
  required: ['vendor', 'for'],
  properties: { vendor: text, for: text, reason: text, ...by },
} as const;

const listQuery = { ...strict, properties: { all: { type: 'string', enum: ['true', 'false'] } } } as const;
const byQuery = { ...strict, properties: by } as const;

/** How a request is validated. */
interface Check {
  readonly part: 'body' | 'querystring';
  readonly schema: KeyedSchema;
  /** A valid example. */
  readonly example: string;
}

const checks = {
  exception: {
    part: 'body',
    schema: exceptionBody,
    example: '{"vendors": ["openai"], "until": "30d", "approved_by": "Head of Security", "reason": "An evaluation."}',
  },
  pause: { part: 'body', schema: pauseBody, example: '{"vendor": "openai", "for": "30m"}' },
  list: { part: 'querystring', schema: listQuery, example: '?all=true' },
  requester: { part: 'querystring', schema: byQuery, example: '?by=alice' },
} as const satisfies Readonly<Record<string, Check>>;

/** What is wrong with the request, in one line; null if nothing is. */
function fault(
  { validationError: error, body, query }: FastifyRequest,
  { part, schema, example }: Check,
): string | null {
  if (error === undefined) return null;
  if (part === 'body' && body === undefined) return noBody;
  const [first] = error.validation as unknown as readonly [Violation];
  return requestFault(first, schema, part === 'body' ? body : query, example);
}

/** Accepts a single word for a list with one item, as the policy file does. */
function takeLists({ body }: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  const given = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  for (const [key, { type }] of Object.entries(exceptionBody.properties)) {
    if (type === 'array' && typeof given[key] === 'string') given[key] = [given[key]];
  }
  done();
}

function askerOf(by: string | undefined, { socket }: FastifyRequest['raw']): Asker {
  return { by: by ?? nobodyNamed, gone: () => socket.destroyed };
}

export function exceptionRoutes(app: FastifyInstance, { api, guard, refuse }: ExceptionRoutesOptions): void {
  const answer = (reply: FastifyReply, status: 200 | 201, changed: Changed): FastifyReply => {
    if (!changed.ok) return refuse(reply, changed.status, changed.text);
    // The new entry comes last, after those that it replaced.
    return reply.code(status).send(status === 201 ? changed.entries.at(-1) : { entries: changed.entries });
  };

  void app.register((routes, _options, done) => {
    const repeated = new WeakMap<FastifyRequest, string>();
    // A page of another site can send a form or plain text without a CORS preflight.
    routes.removeAllContentTypeParsers();
    const parse = app.getDefaultJsonParser('error', 'error');
    routes.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
      void parse(request, body, (error, value) => {
        const key = error === null ? repeatedKey(body) : null;
        if (key !== null) repeated.set(request, key);
        done(error === null ? null : new RequestFault(jsonFault(body)), value);
      });
    });
    routes.addHook('onRequest', async (request, reply) => guard(request, reply) ?? undefined);
    const checked = (check: Check) => ({
      schema: { [check.part]: check.schema },
      attachValidation: true,
      preHandler: async (request: FastifyRequest, reply: FastifyReply) => {
        const key = repeated.get(request);
        const wrong = key === undefined ? fault(request, check) : `The request has the key "${key}" twice. Keep one.`;
        if (wrong !== null) return refuse(reply, 400, wrong);
      },
    });

    routes.get<{ Querystring: { all?: 'true' | 'false' } }>('/api/exceptions', checked(checks.list), (request, reply) =>
      reply.send(api.list(request.query.all === 'true')),
    );
    routes.post<{ Body: WantedException & { by?: string } }>(
      '/api/exceptions',
      { ...checked(checks.exception), preValidation: takeLists },
      async ({ body: { by, ...wanted }, raw }, reply) => answer(reply, 201, await api.add(wanted, askerOf(by, raw))),
    );
    routes.delete<{ Params: { id: string }; Querystring: { by?: string } }>(
      '/api/exceptions/:id',
      checked(checks.requester),
      async ({ params, query, raw }, reply) => answer(reply, 200, await api.revoke(params.id, askerOf(query.by, raw))),
    );
    routes.post<{ Body: WantedPause & { by?: string } }>(
      '/api/pauses',
      checked(checks.pause),
      async ({ body: { by, ...wanted }, raw }, reply) => answer(reply, 201, await api.pause(wanted, askerOf(by, raw))),
    );
    routes.delete<{ Params: { vendor: string }; Querystring: { by?: string } }>(
      '/api/pauses/:vendor',
      checked(checks.requester),
      async ({ params, query, raw }, reply) =>
        answer(reply, 200, await api.resume(params.vendor, askerOf(query.by, raw))),
    );
    done();
  });
}
