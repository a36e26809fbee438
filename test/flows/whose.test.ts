/**
 * Whose a connection is, and whether that client may stay: PROXY headers, networks and limits, on the whole product.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { startLab, labPolicy, type Lab } from '../support/lab.ts';
import { proxyV2 } from '../support/proxy-header.ts';
import { curl } from '../support/curl.ts';
import { cannedOrigin, connectRaw, exchange, rawClient, tcpOrigin, type RawClient } from '../support/streams.ts';
import { connectHead } from '../support/tunnels.ts';

async function lab(settings: Readonly<Record<string, unknown>>, policy?: string): Promise<Lab> {
  const started = await startLab({ settings, ...(policy !== undefined && { policy }) });
  onTestFinished(() => started.close());
  return started;
}

const listen = (trusted: readonly string[]) => ({
  listen: { proxy: '127.0.0.1:0', pages: '127.0.0.1:0', admin: '127.0.0.1:0', proxy_protocol: { trusted } },
});

/** From another address of loopback, which is another client. */
async function connectFrom(localAddress: string, port: number, first = ''): Promise<RawClient> {
  const socket = connect({ host: '127.0.0.1', port, localAddress });
  onTestFinished(() => void socket.destroy());
  const client = rawClient(socket);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  if (first !== '') client.write(first);
  return client;
}

const refused = connectHead('refused.test:443');
const v1 = 'PROXY TCP4 192.0.2.7 127.0.0.1 4711 3128\r\n';

test.each([
  ['version 1', Buffer.from(v1), '192.0.2.7'],
  ['version 2', proxyV2({ family: 0x11, addresses: '192.0.2.7 127.0.0.1', tlvs: 64 }), '192.0.2.7'],
  ['version 2, IPv6', proxyV2({ family: 0x21, addresses: '2001:db8::7 ::1' }), '2001:db8::7'],
  ['LOCAL', proxyV2({ command: 0x20, family: 0 }), '127.0.0.1'],
])('behind a trusted load balancer the client of %s is the one that is named', async (_what, header, address) => {
  const { proxyPort, lines } = await lab(listen(['127.0.0.0/8']));
  expect(await exchange(proxyPort, Buffer.concat([header, Buffer.from(refused)]))).toContain('403');
  const port = address === '127.0.0.1' ? {} : { port: 4711 };
  await expect
    .poll(() => lines()[0])
    .toMatchObject({
      client: { ip: address },
      source: { ip: address, ...port },
      rule: { id: 'refused' },
    });
});

test('the groups of a rule hold for the address in the header, which may come byte by byte', async () => {
  const policy = labPolicy
    .replace('rules:', 'groups:\n  guests: { networks: 192.0.2.0/24 }\nrules:')
    .replace('{ id: refused, domains: refused.test,', '{ id: refused, domains: refused.test, groups: guests,');
  const { proxyPort } = await lab(listen(['127.0.0.1']), policy);
  const client = await connectRaw(proxyPort);
  for (const byte of v1 + refused) client.write(byte);
  expect((await client.ended).text).toContain('403');
  const other = await exchange(proxyPort, v1.replace('192.0.2.7', '198.51.100.7') + connectHead('refused.test:1'));
  expect(other).toContain('connection_refused');
});

test('a denial inside TLS is recorded for the client that the header names', async () => {
  const { proxyPort, lines, ca } = await lab(listen(['127.0.0.1']));
  const head = v1 + connectHead('api.anthropic.com:443');
  const client = await connectRaw(proxyPort, head);
  await client.until('200 Connection established');
  client.socket.removeAllListeners('data');
  const inside = rawClient(connectTls({ socket: client.socket, servername: 'api.anthropic.com', ca }));
  inside.write('GET /v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n');
  expect((await inside.ended).text).toContain('claude-ban');
  await expect.poll(() => lines().map((line) => line.source)).toMatchObject([{ ip: '192.0.2.7', port: 4711 }]);
});

test.each([
  ['no header', refused],
  ['garbage', `PROXY TCP4 localhost 127.0.0.1 1 2\r\n${refused}`],
  ['half a header and a FIN', null],
])('a load balancer that sends %s is turned away', async (_what, text) => {
  const { proxyPort, lines, metric } = await lab(listen(['127.0.0.1']));
  const client = await connectRaw(proxyPort);
  if (text === null) client.socket.end('PROXY TCP4 192.');
  else client.write(text);
  expect((await client.ended).text).toMatch(/^HTTP\/1\.1 400 /);
  await expect
    .poll(() => lines()[0])
    .toMatchObject({
      event: { action: 'arrival-rejected' },
      sallyport: { error: 'malformed_request' },
    });
  expect(await metric('sallyport_errors_total', 'code="malformed_request"')).toBe(1);
});

test('a load balancer that only looks whether the port is open is hung up on, and is no failure of anybody', async () => {
  const { proxyPort, lines, metric } = await lab(listen(['127.0.0.1']));
  const probe = await connectRaw(proxyPort);
  probe.socket.end();
  expect((await probe.ended).text).toBe('');
  // The log keeps the order of what ended, so that the line of the probe would be the first.
  await exchange(proxyPort, v1 + refused);
  await expect.poll(() => lines().map((line) => line.rule)).toEqual([{ id: 'refused' }]);
  expect(await metric('sallyport_errors_total', 'code="malformed_request"')).toBe(0);
});

test('a header that dribbles in meets the deadline of all first words', async () => {
  const settings = { ...listen(['127.0.0.1']), limits: { head_timeout: '500ms' } };
  const { proxyPort, lines } = await lab(settings);
  const client = await connectRaw(proxyPort, 'PROXY ');
  const more = setInterval(() => client.write('T'), 100);
  onTestFinished(() => clearInterval(more));
  expect((await client.ended).text).toContain('X-Proxy-Error: request_timeout');
  await expect.poll(() => lines().length).toBe(1);
});

test.each([Buffer.from(v1), proxyV2({ family: 0x11, addresses: '192.0.2.7 127.0.0.1' })])(
  'from anybody else a header is no HTTP',
  async (header) => {
    const { proxyPort, lines } = await lab(listen(['10.0.0.0/8']));
    expect(await exchange(proxyPort, Buffer.concat([header, Buffer.from(refused)]))).toMatch(/^HTTP\/1\.1 400 /);
    await expect
      .poll(() => lines()[0])
      .toMatchObject({ source: { ip: '127.0.0.1' }, sallyport: { error: 'malformed_request' } });
  },
);

test('a client outside of the networks is answered 403 in words, recorded, and let in once the file says so', async () => {
  const { proxyPort, lines, file, gateway } = await lab({ clients: { networks: ['127.0.0.2'] } });
  const text = (await (await connectFrom('127.0.0.1', proxyPort)).ended).text;
  expect(text).toMatch(/^HTTP\/1\.1 403 /);
  expect(text).toContain('This client may not use the proxy.');
  await expect
    .poll(() => lines()[0])
    .toMatchObject({ source: { ip: '127.0.0.1' }, sallyport: { error: 'client_prohibited' } });
  writeFileSync(file, readFileSync(file, 'utf8').replace('127.0.0.2', '127.0.0.1'));
  expect(gateway.reload()).toBe(true);
  expect(await exchange(proxyPort, refused)).toContain('Refused at the CONNECT');
});

test('one client at its limit is told so, leaves room for others, and gets in again', async () => {
  const origin = await tcpOrigin(() => undefined);
  const { proxyPort, metric } = await lab({ limits: { client_connections: 2 } });
  const tunnel = connectHead(`127.0.0.1:${origin.port}`);
  const first = await connectRaw(proxyPort, tunnel);
  await first.until('200');
  const second = await connectRaw(proxyPort, tunnel);
  await second.until('200');
  const third = await exchange(proxyPort, tunnel);
  expect(third).toMatch(/^HTTP\/1\.1 503 /);
  expect(third).toMatch(/^retry-after: \d+\r$/im);
  expect(third).toContain('client_limit');
  const other = await connectFrom('127.0.0.3', proxyPort, tunnel);
  await other.until('200');
  expect(await metric('sallyport_limited_total', 'limit="client_connections"')).toBe(1);
  first.socket.resetAndDestroy();
  await expect.poll(() => exchange(proxyPort, refused)).toContain('Refused at the CONNECT');
});

test('curl --haproxy-protocol gets through with the address that it has', async () => {
  const origin = await cannedOrigin('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
  const { proxyUrl } = await lab(listen(['127.0.0.1']));
  const result = await curl('-x', proxyUrl, '--haproxy-protocol', `http://127.0.0.1:${origin.port}/`);
  expect(result).toMatchObject({ exit: 0, out: 'hi' });
});
