import { expect, test } from 'vitest';
import type { TunnelArrival } from '../../src/flow.ts';
import { connectRaw, eventually, exchange } from '../support/streams.ts';
import { startWired, type Wired } from '../support/wiring.ts';

const head = (authority: string): string => `CONNECT ${authority} HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/8\r\n\r\n`;

async function first(wired: Wired): Promise<TunnelArrival> {
  await eventually('an arrival', () => wired.arrivals.length > 0);
  const [arrival] = wired.arrivals;
  if (arrival?.kind !== 'tunnel') throw new Error('not a tunnel');
  return arrival;
}

test('a CONNECT becomes an arrival with all that came behind its head, and what comes later waits', async () => {
  const wired = await startWired({ arrived: () => undefined });
  const client = await connectRaw(wired.port, `${head('API.Deny.TEST.:443')}\x16\x03\x01early`);
  const arrival = await first(wired);
  expect(arrival).toMatchObject({
    kind: 'tunnel',
    target: { host: 'api.deny.test', kind: 'name', port: 443 },
    userAgent: 'curl/8',
    clientAddress: '127.0.0.1',
    clientPort: client.socket.localPort,
    early: Buffer.from('\x16\x03\x01early'),
  });
  expect(arrival.id).toMatch(/^[0-9a-f]{24}$/);
  client.socket.end('later');
  const later = (await arrival.socket.toArray()) as Buffer[];
  expect(Buffer.concat(later).toString()).toBe('later');
});

test.each([1, 7, 8, 9, 40])('a head in pieces of %i bytes loses nothing', async (size) => {
  const wired = await startWired({ arrived: () => undefined });
  const client = await connectRaw(wired.port);
  const text = `${head('ok.test:443')}early`;
  for (let at = 0; at < text.length; at += size) client.write(text.slice(at, at + size));
  const { socket, early } = await first(wired);
  client.socket.end();
  const rest = Buffer.concat([early, ...((await socket.toArray()) as Buffer[])]);
  expect(rest.toString()).toBe('early');
});

test.each([
  ['ok.test', 'invalid_target'],
  ['ok.test:0', 'invalid_target'],
  ['ok.test:65536', 'invalid_target'],
  ['a@ok.test:443', 'invalid_target'],
  ['http://ok.test:443/', 'invalid_target'],
  ['/', 'invalid_target'],
  ['deny%2etest:443', 'invalid_target'],
  ['[::1%25lo]:443', 'invalid_target'],
  ['ok.test:443 x', 'malformed_request'],
  ['ok.test\0.deny.test:443', 'malformed_request'],
])('CONNECT %j is refused, and the connection closed', async (authority, code) => {
  const wired = await startWired();
  const text = await exchange(wired.port, `${head(authority)}\x16\x03\x01`);
  expect(text).toContain(`X-Proxy-Error: ${code}\r\n`);
  expect(text).toContain('Connection: close\r\n');
  expect(wired.arrivals).toEqual([]);
  await eventually('no connection', () => wired.connections() === 0);
});

test('a head that never ends is refused at the limit', async () => {
  const wired = await startWired();
  const endless = `CONNECT ok.test:443 HTTP/1.1\r\n${'X: y\r\n'.repeat(4_000)}`;
  expect(await exchange(wired.port, endless)).toContain('X-Proxy-Error: header_too_large');
});

test('a head that is slow is answered 408', async () => {
  const wired = await startWired({ headTimeout: 100 });
  expect(await exchange(wired.port, 'CONNECT ok.test:443 HTTP/1.1\r\n')).toContain('X-Proxy-Error: request_timeout');
});

test('an arrival that nobody can take does not end the process', async () => {
  const wired = await startWired({
    arrived: () => {
      throw new TypeError('a bug');
    },
  });
  expect(await exchange(wired.port, head('ok.test:443'))).toContain('X-Proxy-Error: internal_error');
});
