import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { interleave } from '../../src/act/dns.ts';
import { createResolver, type Resolver, type ResolverOptions } from '../../src/act/resolver.ts';
import { SallyportError } from '../../src/errors.ts';
import type { Hostname, Target } from '../../src/flow.ts';
import { startDnsServer, type DnsServer, type DnsZone } from '../support/dns-server.ts';

const cleanup: (() => void | PromiseLike<void>)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const end of cleanup.splice(0)) await end();
});

function target(host: string): Target {
  return { host: host as Hostname, kind: 'name', port: 443 };
}

async function lab(
  zone: Record<string, DnsZone>,
  options: Partial<ResolverOptions> = {},
): Promise<{
  readonly server: DnsServer;
  readonly resolver: Resolver;
  readonly ask: (name: string) => Promise<string>;
}> {
  const server = await startDnsServer(zone);
  cleanup.push(() => server[Symbol.asyncDispose]());
  const resolver = createResolver({ hosts: {}, servers: [server.address], timeout: 3_000, ...options });
  const ask = async (name: string): Promise<string> => {
    try {
      return (await resolver.resolve(target(name))).join(' ');
    } catch (error) {
      if (error instanceof SallyportError) return error.code;
      throw error;
    }
  };
  return { server, resolver, ask };
}

let ahead = 0;
/** Lets the monotonic clock jump, once `lru-cache` asks for it again: it goes by the same time for a millisecond. */
async function later(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  ahead += milliseconds;
  vi.restoreAllMocks();
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
}

test('both families are asked once for many questions at once', async () => {
  const { server, ask } = await lab({ 'a.test': { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8::1'] } });
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask('a.test')));
  expect(new Set(answers).size).toBe(1);
  expect(answers[0]?.split(' ').toSorted()).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
  expect([...server.asked].toSorted()).toEqual(['A a.test', 'AAAA a.test']);
});

test.each([
  [['a', 'b', 'c'], ['x'], 'a x b c'],
  [[], ['x', 'y'], 'x y'],
  [['a'], ['x', 'y'], 'a x y'],
])('the families %j and %j go by turns', (first, second, expected) => {
  expect(interleave(first, second).join(' ')).toBe(expected);
});

test('an answer is kept for as long as it says, and asked for again then', async () => {
  const { server, ask, resolver } = await lab({ 'a.test': { A: ['192.0.2.1'], ttl: 30 } });
  expect(await ask('a.test')).toBe('192.0.2.1');
  server.zone['a.test'] = { A: ['192.0.2.9'], ttl: 30 };
  await later(29_000);
  expect(resolver.resolve(target('a.test'))).toEqual(['192.0.2.1']);
  await later(1_500);
  expect(await ask('a.test')).toBe('192.0.2.9');
});

test('an answer that holds for no time is not kept', async () => {
  const { server, ask } = await lab({ 'a.test': { A: ['192.0.2.1'], ttl: 0 } });
  expect(await ask('a.test')).toBe('192.0.2.1');
  server.zone['a.test'] = { A: ['192.0.2.9'], ttl: 0 };
  expect(await ask('a.test')).toBe('192.0.2.9');
});

test('that there is no such name is kept for a moment only', async () => {
  const { server, ask } = await lab({});
  expect(await ask('a.test')).toBe('dns_error');
  expect(await ask('a.test')).toBe('dns_error');
  expect(server.asked).toHaveLength(2);
  server.zone['a.test'] = { A: ['192.0.2.1'] };
  await later(1_001);
  expect(await ask('a.test')).toBe('192.0.2.1');
});

test('the faster family does not wait for the slower one, which is there for the next connection', async () => {
  const { ask } = await lab({ 'a.test': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'], slowAAAA: 600 } });
  expect(await ask('a.test')).toBe('192.0.2.1');
  await expect.poll(async () => (await ask('a.test')).split(' ').toSorted()).toEqual(['192.0.2.1', '2001:db8::1']);
});

test.each<readonly [string, DnsZone, string]>([
  ['a server that fails', { code: 2 }, 'dns_error'],
  ['a server that does not want to', { code: 5 }, 'dns_error'],
  ['a name without addresses', {}, 'dns_error'],
  ['a server that says nothing', { silent: true }, 'dns_timeout'],
  ['only IPv6', { AAAA: ['2001:db8::1'] }, '2001:db8::1'],
])('%s', async (_what, zone, expected) => {
  const { ask } = await lab({ 'a.test': zone }, { timeout: 600 });
  expect(await ask('a.test')).toBe(expected);
});

/** A server that has answered so quickly so often that c-ares waits for no answer that takes a second. */
async function quickLab(zone: Record<string, DnsZone>, timeout: number): ReturnType<typeof lab> {
  const names = Array.from({ length: 30 }, (_, i) => `quick${i}.test`);
  const quick = Object.fromEntries(names.map((name) => [name, { A: ['192.0.2.9'] }]));
  const made = await lab({ ...quick, ...zone }, { timeout });
  for (const name of names) expect(await made.ask(name)).toBe('192.0.2.9');
  return made;
}

test('a server that has answered quickly may take its time over a name that it has to ask others for', async () => {
  const { server, ask } = await quickLab({ 'cold.test': { A: ['192.0.2.1'], slow: 1_500 } }, 8_000);
  const answers = await Promise.all([ask('cold.test'), ask('cold.test')]);
  expect(answers).toEqual(['192.0.2.1', '192.0.2.1']);
  // Two tries, and one more that waits: for both callers together.
  expect(server.asked.filter((question) => question === 'A cold.test')).toHaveLength(3);
}, 15_000);

test('a server that falls silent is waited for as long as is configured, and one that fails is asked once', async () => {
  const { server, ask } = await quickLab({ 'dead.test': { silent: true }, 'broken.test': { code: 2 } }, 2_600);
  expect(await ask('broken.test')).toBe('dns_error');
  expect(server.asked.filter((question) => question.endsWith(' broken.test')).toSorted()).toEqual([
    'A broken.test',
    'AAAA broken.test',
  ]);
  const from = performance.now();
  expect(await ask('dead.test')).toBe('dns_timeout');
  const took = performance.now() - from;
  expect(took).toBeGreaterThan(2_500);
  expect(took).toBeLessThan(3_600);
}, 15_000);

test('fixed names go before the hosts file, and that before DNS', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-hosts-'));
  cleanup.push(() => rmSync(dir, { recursive: true }));
  const hostsFile = join(dir, 'hosts');
  writeFileSync(hostsFile, '192.0.2.50 listed.test fixed.test\n');
  const zone = { A: ['192.0.2.1'] };
  const { ask } = await lab(
    { 'fixed.test': zone, 'listed.test': zone, 'asked.test': zone },
    { hostsFile, hosts: { 'fixed.test': '192.0.2.60' } },
  );
  expect(await ask('fixed.test')).toBe('192.0.2.60');
  expect(await ask('listed.test')).toBe('192.0.2.50');
  expect(await ask('asked.test')).toBe('192.0.2.1');
});

test('localhost, and what is below it, is loopback whatever servers and the hosts file say', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-hosts-'));
  cleanup.push(() => rmSync(dir, { recursive: true }));
  const hostsFile = join(dir, 'hosts');
  writeFileSync(hostsFile, '192.0.2.50 localhost app.localhost\n');
  const zone = { A: ['192.0.2.1'] };
  const { server, ask } = await lab(
    { localhost: zone, 'app.localhost': zone, 'notlocalhost.test': zone },
    { hostsFile, hosts: { 'mine.localhost': '192.0.2.60' } },
  );
  for (const name of ['localhost', 'app.localhost', 'a.b.localhost']) expect(await ask(name)).toBe('127.0.0.1 ::1');
  expect(server.asked).toEqual([]);
  expect(await ask('mine.localhost')).toBe('192.0.2.60');
  expect(await ask('notlocalhost.test')).toBe('192.0.2.1');
});

test('a server in the configuration is asked for every name, and has the last word', async () => {
  const { ask } = await lab({ single: { A: ['192.0.2.1'] } }, { hostsFile: '/nowhere' });
  expect(await ask('single')).toBe('192.0.2.1');
  expect(await ask('other')).toBe('dns_error');
});

test('what a name says next is checked and dialled next: nothing is dialled by name', async () => {
  const origin = createServer((_req, res) => res.end('ok'));
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  cleanup.push(() => void origin.close());
  const { port } = origin.address() as AddressInfo;
  const { createDialler } = await import('../../src/act/upstream.ts');
  const { createDestinations } = await import('../../src/act/destinations.ts');
  const { server, resolver } = await lab({ 'a.test': { A: ['127.0.0.1'], ttl: 0 } });
  const dialler = createDialler({
    resolver,
    destinations: createDestinations({
      ports: [port],
      allow: [{ match: 'cidr', value: '127.0.0.1/32', port }],
      own: () => [],
    }),
    connectTimeout: 1_000,
  });
  const { PassThrough } = await import('node:stream');
  const socket = await dialler.dial({ ...target('a.test'), port }, new PassThrough());
  expect(socket.remoteAddress).toBe('127.0.0.1');
  socket.destroy();
  server.zone['a.test'] = { A: ['127.0.0.2'], ttl: 0 };
  await expect(dialler.dial({ ...target('a.test'), port }, new PassThrough())).rejects.toMatchObject({
    code: 'destination_prohibited',
  });
});

test('of thousands of addresses the first are enough, and nothing else of that domain is asked for a minute', async () => {
  const many = Array.from({ length: 600 }, (_, i) => `192.0.${i >> 8}.${i & 255}`);
  const other: DnsZone = { A: ['192.0.2.1'] };
  const zone = { 'a.evil.test': { A: many }, 'b.evil.test': other, 'a.good.test': other };
  const { server, ask } = await lab(zone);
  expect((await ask('a.evil.test')).split(' ')).toEqual(many.slice(0, 32));
  expect(await ask('b.evil.test')).toBe('dns_error');
  expect(await ask('a.good.test')).toBe('192.0.2.1');
  expect(server.asked).not.toContain('A b.evil.test');
  await later(61_000);
  expect(await ask('b.evil.test')).toBe('192.0.2.1');
});
