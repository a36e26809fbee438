import { afterEach, expect, test } from 'vitest';
import { createAdminServer } from '../../src/admin/admin-server.ts';
import type { AdminFacts, AdminServerOptions } from '../../src/admin/admin-server.ts';
import type { Address, HttpServer } from '../../src/admin/http-server.ts';
import { raw, statusOf } from './raw-http.ts';

const facts: AdminFacts = {
  version: '1.2.3',
  nodeVersion: 'v20.19.0',
  startedAt: Date.UTC(2026, 0, 1),
  policy: { hash: 'abc', rules: 4, exceptions: 1 },
  reload: { successful: true, lastSuccessAt: Date.UTC(2026, 0, 2), problem: null },
  exceptions: { active: 2, nextEndAt: Date.UTC(2026, 1, 1) },
  pauses: [
    { vendor: 'openai', from: Date.UTC(2026, 0, 1), until: Date.UTC(2026, 0, 2) },
    { vendor: null, from: Date.UTC(2026, 0, 1), until: Date.UTC(2026, 0, 2) },
  ],
  ca: { fingerprint: 'AA:BB', notAfter: Date.UTC(2030, 0, 1) },
};

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options: Partial<AdminServerOptions> = {}, host = '127.0.0.1') {
  const faults: string[] = [];
  const server = createAdminServer({
    metrics: { render: () => Promise.resolve('up 1\n'), contentType: 'text/plain; version=0.0.4; charset=utf-8' },
    health: { ready: () => ({ ok: true, why: '' }) },
    facts: () => facts,
    hosts: [],
    token: null,
    tokenAttempts: { take: () => true, giveBack: () => undefined, refused: () => undefined },
    proxyAt: () => 'proxy.test:3128',
    onFault: (id, error) => void faults.push(`${id} ${String(error)}`),
    ...options,
  });
  servers.push(server);
  const bound = await server.listen({ host, port: 0 });
  // A server on every address is reached by loopback.
  const address: Address = host === '0.0.0.0' ? { host: '127.0.0.1', port: bound.port } : bound;
  const get = (path: string, init: RequestInit = {}) => fetch(`http://${address.host}:${address.port}${path}`, init);
  return { server, address, get, faults };
}

test('metrics', async () => {
  const { get } = await start();
  const answer = await get('/metrics');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await answer.text()).toBe('up 1\n');
});

test('alive, and ready or not with the reason', async () => {
  let ready = { ok: true, why: '' };
  const { get } = await start({ health: { ready: () => ready } });
  const live = await get('/livez');
  expect([live.status, await live.text()]).toEqual([200, 'ok\n']);
  const good = await get('/readyz');
  expect([good.status, await good.text()]).toEqual([200, 'ok\n']);
  ready = { ok: false, why: 'draining' };
  const bad = await get('/readyz');
  expect([bad.status, await bad.text()]).toEqual([503, 'draining\n']);
  expect((await get('/livez')).status).toBe(200);
});

test('status', async () => {
  const { get } = await start();
  const answer = await get('/api/status');
  expect(answer.headers.get('content-type')).toContain('application/json');
  expect(await answer.json()).toEqual({
    version: '1.2.3',
    nodeVersion: 'v20.19.0',
    startedAt: '2026-01-01T00:00:00.000Z',
    uptimeSeconds: expect.any(Number) as number,
    policy: { hash: 'abc', rules: 4, exceptions: 1 },
    reload: { successful: true, lastSuccessAt: '2026-01-02T00:00:00.000Z', problem: null },
    exceptions: { active: 2, nextEndAt: '2026-02-01T00:00:00.000Z' },
    pauses: [
      { vendor: 'openai', from: '2026-01-01T00:00:00.000Z', until: '2026-01-02T00:00:00.000Z' },
      { vendor: '*', from: '2026-01-01T00:00:00.000Z', until: '2026-01-02T00:00:00.000Z' },
    ],
    ca: { fingerprint: 'AA:BB', notAfter: '2030-01-01T00:00:00.000Z' },
  });
});

test('status without a CA', async () => {
  const { get } = await start({ facts: () => ({ ...facts, ca: null }) });
  expect(await (await get('/api/status')).json()).toMatchObject({ ca: null });
});

test.each(['/', '/ca.key', '/policy', '/dist/main.js.map', '/%2e%2e/etc/passwd', '//metrics', '/%zz', '/metrics/'])(
  '%s is 404 in JSON',
  async (path) => {
    const { address } = await start();
    const answer = await raw(address, [`GET ${path} HTTP/1.1`, 'Host: localhost']);
    expect(statusOf(answer)).toBe(404);
    expect(answer).toContain('application/json');
    expect(answer).toMatch(/\{"error":"There is nothing here\. Available: \/metrics, \/livez, [^"]+","status":404\}$/);
  },
);

test('every answer bears the headers of safety', async () => {
  const { get } = await start();
  for (const path of ['/metrics', '/livez', '/api/status', '/none']) {
    const { headers } = await get(path);
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
  }
});

test.each([
  ['another name', ['Host: evil.test'], 421],
  ['two names', ['Host: localhost', 'Host: evil.test'], 421],
  ['another site', ['Host: localhost', 'Sec-Fetch-Site: cross-site'], 403],
  ['another origin', ['Host: localhost', 'Origin: http://evil.test'], 403],
  ['an address that it has not', ['Host: 10.1.2.3'], 421],
])('%s is refused on every path', async (_name, headers, status) => {
  const { address } = await start();
  for (const path of ['/metrics', '/livez', '/api/status', '/none']) {
    const answer = await raw(address, [`GET ${path} HTTP/1.1`, ...headers]);
    expect(statusOf(answer)).toBe(status);
    expect(answer).not.toContain('up 1');
    expect(answer).not.toContain('abc');
  }
});

test('a load balancer may ask about health in HTTP/1.0 without Host, and for nothing else', async () => {
  const { address } = await start();
  const get = async (path: string) => statusOf(await raw(address, [`GET ${path} HTTP/1.0`]));
  for (const path of ['/livez', '/readyz']) expect(await get(path)).toBe(200);
  for (const path of ['/metrics', '/api/status', '/none']) expect(await get(path)).toBe(421);
});

test('open to others: by any address or a configured name, and the API only with its token', async () => {
  const { address } = await start({ hosts: ['sallyport'], token: 's3cret' }, '0.0.0.0');
  const get = async (path: string, ...headers: readonly string[]) =>
    statusOf(await raw(address, [`GET ${path} HTTP/1.1`, ...headers]));
  expect(await get('/metrics', 'Host: 10.1.2.3:9128')).toBe(200);
  expect(await get('/metrics', 'Host: sallyport:9128')).toBe(200);
  expect(await get('/metrics', 'Host: evil.test')).toBe(421);
  expect(await get('/api/status', 'Host: sallyport')).toBe(401);
  expect(await get('/api/status', 'Host: sallyport', 'Authorization: Bearer wrong')).toBe(401);
  expect(await get('/api/status', 'Host: sallyport', 'Authorization: Bearer s3cret')).toBe(200);
});

test('open to others without a token the API answers nobody', async () => {
  const { address } = await start({}, '0.0.0.0');
  const answer = await raw(address, ['GET /api/status HTTP/1.1', 'Host: 127.0.0.1']);
  expect(statusOf(answer)).toBe(403);
  expect(answer).toContain('admin.token');
});

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s changes nothing', async (method) => {
  const { get } = await start();
  const { status, headers } = await get('/api/status', { method });
  expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('a body that nothing here wants is refused unread', async () => {
  const { address } = await start();
  const head = ['POST /api/status HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];
  const answer = await raw(address, [...head, 'Content-Length: 10000000'], '{');
  expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
  expect(statusOf(answer)).toBeLessThan(500);
});

test('a head over the limit is refused', async () => {
  const { address } = await start();
  const answer = await raw(address, ['GET /livez HTTP/1.1', 'Host: localhost', `X-Long: ${'x'.repeat(20_000)}`]);
  expect(statusOf(answer)).toBe(431);
});

test('a fault shows an id and nothing else', async () => {
  const { get, faults } = await start({
    metrics: { render: () => Promise.reject(new Error('inner detail')), contentType: 'text/plain' },
    facts: () => {
      throw new Error('inner detail');
    },
  });
  for (const path of ['/metrics', '/api/status']) {
    const answer = await get(path);
    const body = await answer.text();
    expect(answer.status).toBe(500);
    const { id } = JSON.parse(body) as { id: string };
    expect(faults.at(-1)).toBe(`${id} Error: inner detail`);
    expect(body).not.toContain('inner');
    expect(body).not.toContain('at ');
  }
});

test('closing ends connections that are kept alive', async () => {
  const { server, get } = await start();
  await (await get('/livez')).text();
  await server.close();
  await expect(get('/livez')).rejects.toThrow();
});

test('actions are for POST, behind the same guard, and say what came of them', async () => {
  const done: string[] = [];
  const actions = {
    good: () => Promise.resolve({ done: true, policy: `abc${done.push('good')}` }),
    bad: () => Promise.resolve({ done: false, problem: 'policy.yaml:1:1: wrong' }),
  };
  const { get } = await start({ actions, token: 'sixteen-characters' });
  const authorization = 'Bearer sixteen-characters';
  const post = (path: string, headers: Record<string, string> = { authorization }) =>
    get(`/api/${path}`, { method: 'POST', headers });
  const good = await post('good');
  expect([good.status, await good.json()]).toEqual([200, { done: true, policy: 'abc1' }]);
  const bad = await post('bad');
  expect([bad.status, await bad.json()]).toEqual([409, { done: false, problem: 'policy.yaml:1:1: wrong' }]);
  expect((await post('good', {})).status).toBe(401);
  expect((await post('good', { authorization, origin: 'http://evil.test' })).status).toBe(403);
  expect((await get('/api/good', { headers: { authorization } })).status).toBe(405);
  expect(done).toEqual(['good']);
});
