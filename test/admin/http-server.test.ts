import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { createApp, serverOf } from '../../src/admin/http-server.ts';
import type { Address, HttpServer } from '../../src/admin/http-server.ts';
import { raw, statusOf } from './raw-http.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(routes: (app: FastifyInstance) => void) {
  const faults: string[] = [];
  const heard: Address[] = [];
  const app = createApp({
    headers: { 'x-test': 'yes' },
    refuse: (reply, status, text, id) => reply.code(status).send(`${text} ${id ?? '-'}`),
    proxyAt: () => 'proxy.test:3128',
    onFault: (id, error) => void faults.push(`${id} ${String(error)}`),
  });
  routes(app);
  const server = serverOf(app, (address) => void heard.push(address));
  servers.push(server);
  return { address: await server.listen({ host: '127.0.0.1', port: 0 }), faults, heard };
}

const echo = (app: FastifyInstance): void => {
  app.post('/', (request, reply) => reply.send(JSON.stringify(request.body)));
};

async function post(address: Address, type: string, body: string): Promise<string> {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return raw(address, ['POST / HTTP/1.1', 'Host: localhost', `Content-Type: ${type}`, length], body);
}

const words: Readonly<Record<number, RegExp>> = {
  400: /The request is not valid\. -$/,
  413: /The body is larger than 64 KiB\. -$/,
  415: /The body must be JSON: send Content-Type: application\/json\. -$/,
};

test.each([
  ['a good body', 'application/json', '{"a":1}', 200],
  ['JSON that is none', 'application/json', '{"a":1} garbage', 400],
  ['an attack on prototypes', 'application/json', '{"__proto__":{"a":1}}', 400],
  ['more than 64 KiB', 'application/json', `"${'x'.repeat(70_000)}"`, 413],
  ['a form', 'application/x-www-form-urlencoded', 'a=1', 415],
  ['a type with a tab', 'application/json\tx', '{"a":1}', 415],
])('%s', async (_name, type, body, status) => {
  const { address, faults } = await start(echo);
  const answer = await post(address, type, body);
  expect(statusOf(answer)).toBe(status);
  expect(answer).toContain('x-test: yes\r\n');
  expect(answer).toContain('x-content-type-options: nosniff\r\n');
  expect(faults).toEqual([]);
  expect(answer).toMatch(words[status] ?? /\{"a":1\}$/);
});

test.each(['claude.ai:443', '/', 'x'.repeat(2_000)])('CONNECT %.20s is told where the proxy is', async (target) => {
  const { address, faults } = await start(echo);
  const answer = await raw(address, [
    `CONNECT ${target} HTTP/1.1`,
    'Host: claude.ai:443',
    'Proxy-Authorization: Basic eA==',
  ]);
  expect(statusOf(answer)).toBe(405);
  expect(answer).toContain('\r\nAllow: GET, HEAD\r\n');
  expect(answer).toContain('\r\nConnection: close\r\n');
  expect(answer.split('\r\n\r\n')[1]).toBe('This is not the proxy: set proxy.test:3128 as the proxy.\n');
  expect(faults).toEqual([]);
});

test('what a request says of its origin is not believed', async () => {
  const { address } = await start((app) =>
    app.get('/', (request, reply) => reply.send(`${request.ip} ${request.protocol} ${request.host}`)),
  );
  const forwarded = ['X-Forwarded-For: 1.2.3.4', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: evil.test'];
  const answer = await raw(address, ['GET / HTTP/1.1', 'Host: localhost', ...forwarded]);
  expect(answer).toMatch(/127\.0\.0\.1 http localhost$/);
});

test('a fault is told under the id that the answer shows', async () => {
  const { address, faults } = await start((app) =>
    app.get('/', () => {
      throw new Error('inner detail');
    }),
  );
  const answer = await raw(address, ['GET / HTTP/1.1', 'Host: localhost']);
  expect(statusOf(answer)).toBe(500);
  expect(answer).not.toContain('inner');
  const [id] = faults[0]?.split(' ') ?? [];
  expect(faults).toEqual([`${id ?? ''} Error: inner detail`]);
  expect(answer).toMatch(new RegExp(`Something went wrong here\\. ${id ?? 'none'}$`));
});

test('the address is told as it was asked for and as it is', async () => {
  const { address, heard } = await start(echo);
  expect(address.port).toBeGreaterThan(0);
  expect(heard).toEqual([{ host: '127.0.0.1', port: 0 }, address]);
});

test('an address in use is an error of listen', async () => {
  const { address } = await start(echo);
  const second = serverOf(
    createApp({ headers: {}, refuse: (reply) => reply, proxyAt: () => '', onFault: () => undefined }),
  );
  servers.push(second);
  await expect(second.listen(address)).rejects.toThrow('EADDRINUSE');
});

test('one client gets no more than its share of connections, and it again once it has closed some', async () => {
  const { address } = await start(echo);
  const sockets = Array.from({ length: 140 }, () => connect(address.port, address.host).on('error', () => undefined));
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  const closed = (): number => sockets.filter((socket) => socket.destroyed).length;
  await vi.waitFor(() => expect(closed()).toBe(12), 5_000);
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(async () => expect(statusOf(await raw(address, ['NONSENSE']))).toBe(400), 5_000);
});

test('half a head on all connections of a client keeps nobody out who asks', async () => {
  const held: string[] = [];
  const { address } = await start((app) => {
    app.get('/', (_request, reply) => reply.send('here'));
    app.get('/slow', (request) => {
      held.push(request.id);
      return new Promise(() => undefined);
    });
  });
  const open = (head: string) => {
    const socket = connect(address.port, address.host).on('error', () => undefined);
    socket.resume().write(head);
    onTestFinished(() => void socket.destroy());
    return socket;
  };
  const slow = Array.from({ length: 20 }, () => open('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n'));
  await vi.waitFor(() => expect(held).toHaveLength(20), 5_000);
  const half = Array.from({ length: 150 }, () => open('GET / HTTP/1.1\r\nHost: loc'));
  await vi.waitFor(() => expect(half.filter((socket) => socket.destroyed)).toHaveLength(42), 5_000);
  for (let i = 0; i < 5; i += 1) expect(await raw(address, ['GET / HTTP/1.1', 'Host: localhost'])).toMatch(/here$/);
  // Whoever waits for an answer is not ended for it.
  expect(slow.filter((socket) => socket.destroyed)).toEqual([]);
});

test('nonsense in place of HTTP is 400', async () => {
  const { address } = await start(echo);
  expect(statusOf(await raw(address, ['NONSENSE']))).toBe(400);
});
