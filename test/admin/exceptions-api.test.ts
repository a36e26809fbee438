import { afterEach, expect, test } from 'vitest';
import { createAdminServer } from '../../src/admin/admin-server.ts';
import type { Asker, Changed, ExceptionsApi } from '../../src/admin/exceptions-api.ts';
import type { HttpServer } from '../../src/admin/http-server.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function start(changed: Changed = { ok: true, entries: [{ id: 'one' }] }, token: string | null = null) {
  const calls: unknown[] = [];
  const change =
    (what: string) =>
    (wanted: unknown, { by }: Asker): Promise<Changed> => {
      calls.push([what, wanted, by]);
      return Promise.resolve(changed);
    };
  const exceptions: ExceptionsApi = {
    list: (all) => ({ all }),
    add: change('add'),
    revoke: change('revoke'),
    pause: change('pause'),
    resume: change('resume'),
  };
  const server = createAdminServer({
    metrics: { render: () => Promise.resolve(''), contentType: 'text/plain' },
    health: { ready: () => ({ ok: true, why: '' }) },
    facts: () => ({}) as never,
    hosts: [],
    token,
    tokenAttempts: { take: () => true, giveBack: () => undefined, refused: () => undefined },
    proxyAt: () => 'proxy.test:3128',
    onFault: () => undefined,
    exceptions,
  });
  servers.push(server);
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const ask = async (path: string, { method = 'GET', body, headers = {} }: Asked = {}) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, json: await answer.json() };
  };
  return { ask, calls };
}

const wanted = { vendors: ['acme'], until: '30d', approved_by: 'head', reason: 'why' };

test('a key that is there twice is 400 with its name, however it is spelled', async () => {
  const { ask, calls } = await start();
  const body = '{"vendor":"acme","for":"5m","\\u0066or":"8h"}';
  expect(await ask('/api/pauses', { method: 'POST', body })).toEqual({
    status: 400,
    json: { error: 'The request has the key "for" twice. Keep one.', status: 400 },
  });
  expect(calls).toEqual([]);
});

test('lists, and changes nothing', async () => {
  const { ask, calls } = await start();
  expect(await ask('/api/exceptions')).toEqual({ status: 200, json: { all: false } });
  expect(await ask('/api/exceptions?all=true')).toEqual({ status: 200, json: { all: true } });
  expect(calls).toEqual([]);
});

test('adds, revokes, pauses and resumes', async () => {
  const { ask, calls } = await start();
  expect(await ask('/api/exceptions', { method: 'POST', body: { ...wanted, by: 'alice' } })).toEqual({
    status: 201,
    json: { id: 'one' },
  });
  expect(await ask('/api/exceptions/one?by=bob', { method: 'DELETE' })).toEqual({
    status: 200,
    json: { entries: [{ id: 'one' }] },
  });
  expect((await ask('/api/pauses', { method: 'POST', body: { vendor: 'acme', for: '30m' } })).status).toBe(201);
  expect((await ask('/api/pauses/acme', { method: 'DELETE' })).status).toBe(200);
  expect(calls).toEqual([
    ['add', wanted, 'alice'],
    ['revoke', 'one', 'bob'],
    ['pause', { vendor: 'acme', for: '30m' }, 'admin API'],
    ['resume', 'acme', 'admin API'],
  ]);
});

test.each<[sentence: string, path: string, body: unknown, status: number, error: string]>([
  ['a key too few', '/api/exceptions', { ...wanted, until: undefined }, 400, 'The key "until" is missing. Add it'],
  [
    'a key too many',
    '/api/exceptions',
    { ...wanted, colour: 'x' },
    400,
    'unknown key "colour". Known keys: id, vendors, ',
  ],
  [
    'a client, as the command line calls it',
    '/api/exceptions',
    { ...wanted, client: '10.0.0.7' },
    400,
    'The request has an unknown key "client". Did you mean "networks"?',
  ],
  ['a key of every object', '/api/exceptions', { ...wanted, constructor: 1 }, 400, 'unknown key "constructor". Known'],
  ['one for a list', '/api/exceptions', { ...wanted, group: 'a' }, 400, 'unknown key "group". Did you mean "groups"?'],
  ['a key in another case', '/api/exceptions', { ...wanted, approvedBy: 'a' }, 400, 'Did you mean "approved_by"?'],
  ['a list for one', '/api/pauses', { vendors: ['acme'], for: '5m' }, 400, 'Did you mean "vendor"?'],
  [
    'a number in a list',
    '/api/exceptions',
    { ...wanted, vendors: ['acme', 7] },
    400,
    'The key "vendors" must be a list of texts, or one text; item 2 is a number. Put it in quotes.',
  ],
  [
    'an object for a list',
    '/api/exceptions',
    { ...wanted, vendors: { a: 1 } },
    400,
    'The key "vendors" must be a list of texts, or one text, not an object. Correct it.',
  ],
  [
    'an empty list',
    '/api/exceptions',
    { ...wanted, vendors: [] },
    400,
    'The key "vendors" is an empty list. Add an item',
  ],
  ['no text', '/api/exceptions', { ...wanted, vendors: '' }, 400, 'The key "vendors" has empty text. Write something'],
  [
    'long text',
    '/api/exceptions',
    { ...wanted, reason: 'x'.repeat(1001) },
    400,
    'has more than 1000 characters. Shorten',
  ],
  [
    'a long list',
    '/api/exceptions',
    { ...wanted, users: Array(1001).fill('x') },
    400,
    'has more than 1000 items. Send',
  ],
  [
    'text for a truth',
    '/api/exceptions',
    { ...wanted, replace: 'yes' },
    400,
    '"replace" must be true or false, not text.',
  ],
  [
    'a number for a word',
    '/api/pauses',
    { vendor: 'acme', for: 30 },
    400,
    'The key "for" must be text, not a number. Put',
  ],
  [
    'nothing for a word',
    '/api/pauses',
    { vendor: null, for: '5m' },
    400,
    '"vendor" must be text, not null. Correct it.',
  ],
  ['no object', '/api/exceptions', '[]', 400, 'The body must be an object, not a list. Send one such as {"vendors": '],
  ['no JSON', '/api/exceptions', '{', 400, 'The body is not JSON: '],
  ['a prototype', '/api/exceptions', '{"__proto__":{}}', 400, 'The body has the key "__proto__"'],
  ['nothing', '/api/exceptions', '', 400, 'no body. Send JSON, with Content-Type: application/json'],
])('refuses %s', async (_, path, body, status, error) => {
  const { ask, calls } = await start();
  expect(await ask(path, { method: 'POST', body })).toEqual({
    status,
    json: { error: expect.stringContaining(error) as unknown, status },
  });
  expect(calls).toEqual([]);
});

test('takes one word for a list, as the policy file does', async () => {
  const { ask, calls } = await start();
  const body = { ...wanted, vendors: 'acme', groups: 'research', networks: ['10.0.0.7'] };
  expect((await ask('/api/exceptions', { method: 'POST', body })).status).toBe(201);
  expect(calls).toEqual([
    ['add', { ...wanted, vendors: ['acme'], groups: ['research'], networks: ['10.0.0.7'] }, 'admin API'],
  ]);
});

test('says what a query may have', async () => {
  const { ask } = await start();
  const errors = [];
  for (const query of ['all=yes', 'al=true']) errors.push((await ask(`/api/exceptions?${query}`)).json);
  expect(errors).toEqual([
    { error: 'The key "all" must be true or false. Correct it.', status: 400 },
    { error: 'The request has an unknown key "al". Known keys: all. Remove or correct it.', status: 400 },
  ]);
});

test('says what a body is, where there is none and where it is something else', async () => {
  const { ask } = await start();
  const none = 'The request has no body. Send JSON, with Content-Type: application/json.';
  expect(await ask('/api/pauses', { method: 'POST' })).toEqual({ status: 400, json: { error: none, status: 400 } });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  expect(await ask('/api/pauses', { method: 'POST', body: wanted, headers: form })).toEqual({
    status: 415,
    json: { error: 'The body must be JSON: send Content-Type: application/json.', status: 415 },
  });
  const large = { ...wanted, reason: 'x'.repeat(70_000) };
  expect((await ask('/api/exceptions', { method: 'POST', body: large })).json).toEqual({
    error: 'The body is larger than 64 KiB.',
    status: 413,
  });
});

test.each([400, 404, 409, 503] as const)('says why it was not done: %i', async (status) => {
  const { ask } = await start({ ok: false, status, text: 'Because.' });
  const answer = { status, json: { error: 'Because.', status } };
  expect(await ask('/api/exceptions', { method: 'POST', body: wanted })).toEqual(answer);
  expect(await ask('/api/pauses/acme', { method: 'DELETE' })).toEqual(answer);
});

test.each<[sentence: string, headers: Readonly<Record<string, string>>, status: number]>([
  ['from another site', { origin: 'https://evil.test' }, 403],
  ['from another site of the company', { 'sec-fetch-site': 'same-site' }, 403],
  ['as a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['as text', { 'content-type': 'text/plain' }, 415],
])('refuses a request %s', async (_, headers, status) => {
  const { ask, calls } = await start();
  expect((await ask('/api/exceptions', { method: 'POST', body: wanted, headers })).status).toBe(status);
  expect(calls).toEqual([]);
});

test('asks for the token, before it looks at what is sent', async () => {
  const { ask, calls } = await start(undefined, 'a-token-of-some-length');
  const paths = [
    ['GET', '/api/exceptions'],
    ['POST', '/api/exceptions'],
    ['DELETE', '/api/exceptions/one'],
    ['POST', '/api/pauses'],
    ['DELETE', '/api/pauses/acme'],
  ] as const;
  for (const [method, path] of paths) expect((await ask(path, { method })).status).toBe(401);
  expect(calls).toEqual([]);
  const headers = { authorization: 'Bearer a-token-of-some-length' };
  expect((await ask('/api/exceptions/one', { method: 'DELETE', headers })).status).toBe(200);
});
