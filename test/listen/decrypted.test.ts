import { execFile } from 'node:child_process';
import { connect as connectHttp2, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { INSIDE, type Marked } from '../../src/listen/inside.ts';
import { makeCertificate, type TestCertificate } from '../support/certificate.ts';
import { startIntercepted, type Intercepted, type InterceptedSettings } from '../support/intercepted.ts';
import { connectRaw, eventually, rawClient, type RawClient } from '../support/streams.ts';

const run = promisify(execFile);
let certificate: TestCertificate;
beforeAll(() => {
  certificate = makeCertificate('look.test', '127.0.0.1');
});
afterAll(() => certificate.remove());

const start = (settings: Omit<InterceptedSettings, 'certificate'> = {}): Promise<Intercepted> =>
  startIntercepted({ certificate, ...settings });

/** A TLS client that trusts the leaf. */
async function tls(port: number, options: ConnectionOptions = {}): Promise<RawClient> {
  const named = { servername: 'look.test', ca: certificate.cert, ...options };
  const socket = connectTls({ host: '127.0.0.1', port, checkServerIdentity: () => undefined, ...named });
  onTestFinished(() => void socket.destroy());
  const client = rawClient(socket);
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return client;
}

function http2(port: number): ClientHttp2Session {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { servername: 'look.test', ca: certificate.cert });
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined });
    let status = 0;
    let text = '';
    stream.on('response', (fields) => (status = fields[':status'] ?? 0));
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    stream.on('error', reject);
    stream.on('close', () => resolve(`${status} ${text}`));
    if (body !== undefined) stream.end(body);
  });
}

const get = 'GET /a HTTP/1.1\r\nHost: look.test\r\n\r\n';

test.each([
  ['no ALPN', {}, false],
  ['ALPN http/1.1', { ALPNProtocols: ['http/1.1'] }, 'http/1.1'],
  ['ALPN of another kind', { ALPNProtocols: ['http/1.1', 'x'] }, 'http/1.1'],
  ['no server name', { servername: '' }, false],
  ['no server name, h2 among others', { servername: '', ALPNProtocols: ['h2', 'http/1.1'] }, 'http/1.1'],
  ['TLS 1.2', { maxVersion: 'TLSv1.2' }, false],
] as const)('HTTP/1.1 with %s', async (_, options, protocol) => {
  const { port, arrivals, ends, names } = await start();
  const { ALPNProtocols, ...rest } = { ALPNProtocols: undefined, ...options };
  const client = await tls(port, {
    ...rest,
    ...(ALPNProtocols === undefined ? {} : { ALPNProtocols: [...ALPNProtocols] }),
  });
  expect((client.socket as unknown as { alpnProtocol: string | false }).alpnProtocol).toBe(protocol);
  client.write(get);
  await client.until('<GET https 1.1 /a >');
  client.write('POST /b HTTP/1.1\r\nHost: look.test:443\r\nContent-Length: 2\r\n\r\nhi');
  await client.until('<POST https 1.1 /b hi>');
  client.socket.end();
  await eventually('the end', () => ends.length === 1);
  expect(ends).toEqual([{ requests: 2, error: null }]);
  expect(names).toEqual(['look.test']);
  expect(arrivals[0]).toMatchObject({ kind: 'request', tunnel: { id: 'outer' }, clientAddress: '127.0.0.1' });
});

test.each([['TLSv1.2'], ['TLSv1.3']] as const)('HTTP/2 over %s: many requests in one connection', async (version) => {
  const { port, ends, names } = await start();
  const socket = { servername: 'look.test', ca: certificate.cert, minVersion: version, maxVersion: version };
  const session = connectHttp2(`https://127.0.0.1:${port}`, socket);
  onTestFinished(() => session.destroy());
  const asked = Array.from({ length: 20 }, (_, i) =>
    ask(session, { ':method': 'POST', ':path': `/${i}`, ':authority': 'look.test' }, `body ${i}`),
  );
  expect(await Promise.all(asked)).toEqual(asked.map((_, i) => `200 <POST https 2.0 /${i} body ${i}>`));
  session.close();
  await eventually('the end', () => ends.length === 1);
  expect(ends).toEqual([{ requests: 20, error: null }]);
  expect(names).toEqual(['look.test']);
});

test.each(['--http1.1', '--http2', '--tls-max=1.2'])('curl %s', async (option) => {
  const { port } = await start();
  const to = ['--connect-to', `look.test:443:127.0.0.1:${port}`, '--cacert', certificate.file];
  const { stdout } = await run('curl', ['-sS', ...option.split('='), ...to, 'https://look.test/x?y', '-d', 'data']);
  const version = option === '--http1.1' ? '1.1' : '2.0';
  expect(stdout).toBe(`<POST https ${version} /x?y data>`);
});

test.each(['Host: deny.test', 'Host: look.test:8443', 'Host: look.test\r\nHost: deny.test'])(
  '421 for %j, also as the second request',
  async (fields) => {
    const { port, arrivals, rejections } = await start();
    const client = await tls(port);
    client.write(get);
    await client.until('<GET');
    client.write(`GET / HTTP/1.1\r\n${fields}\r\n\r\n`);
    expect((await client.ended).text).toContain('HTTP/1.1 421 ');
    expect(arrivals).toHaveLength(1);
    expect(rejections).toEqual(['misdirected_request']);
  },
);

test.each([
  [{ ':authority': 'deny.test' }, 421],
  [{ ':authority': 'look.test', host: 'deny.test' }, 421],
])('HTTP/2 with %j is %i, and the session goes on', async (headers, status) => {
  const { port, arrivals } = await start();
  const session = http2(port);
  const sent = { ':path': '/', ...headers };
  expect(await ask(session, sent)).toMatch(new RegExp(`^${status} `));
  expect(arrivals).toEqual([]);
  expect(await ask(session, { ':path': '/', ':authority': 'look.test' })).toMatch(/^200 /);
});

test('a session that is busy while the proxy drains is told once that it ends', async () => {
  const { port, arrivals, closeIdle } = await start({ arrived: () => undefined });
  const session = http2(port);
  let told = 0;
  session.on('goaway', () => (told += 1));
  session.request({ ':path': '/', ':authority': 'look.test' }).on('error', () => undefined);
  await eventually('the request', () => arrivals.length === 1);
  for (let i = 0; i < 5; i += 1) {
    closeIdle();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(told).toBe(1);
});

test.each([
  { ':authority': 'look.test', ':path': 'http://deny.test/' },
  { ':authority': 'look.test x' },
  { ':authority': 'a@look.test' },
  { ':authority': 'look.test\\' },
])('HTTP/2 with %j gets an error or a reset of its stream', async (headers) => {
  const { port, arrivals } = await start();
  const session = http2(port);
  const answer = await ask(session, { ':path': '/', ...headers }).catch((error: unknown) => String(error));
  expect(answer).toMatch(/^4\d\d |PROTOCOL_ERROR/);
  expect(arrivals).toEqual([]);
});

test.each([
  ['TLSv1.2', undefined],
  ['TLSv1.3', undefined],
  ['TLSv1.2', ['h2', 'http/1.1']],
  ['TLSv1.3', ['h2', 'http/1.1']],
] as const)('a client of %s with ALPN %j that does not trust the leaf is recorded as such', async (version, alpn) => {
  const { port, ends } = await start();
  // Node closes without an alert where its own check fails; openssl sends the one that browsers send too.
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'look.test', '-verify_return_error'];
  const offered = alpn === undefined ? [] : ['-alpn', alpn.join(',')];
  await expect(run('openssl', [...args, ...offered, version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3'])).rejects.toThrow();
  await eventually('the end', () => ends.length === 1);
  expect(ends).toEqual([{ requests: 0, error: 'client_rejected_ca' }]);
});

test.each([undefined, ['h2']])('a client that goes in the middle of the handshake, ALPN %j', async (alpn) => {
  const { port, ends, open } = await start({ headTimeout: 500 });
  const socket = connectTls({ host: '127.0.0.1', port, servername: 'look.test', ...(alpn && { ALPNProtocols: alpn }) });
  socket.on('error', () => undefined);
  socket.once('connect', () => setImmediate(() => socket.destroy()));
  await eventually('the end', () => ends.length === 1);
  expect(ends[0]?.requests).toBe(0);
  expect(open.size).toBe(0);
});

test.each([undefined, ['h2']])('a client that stops in the middle of the handshake is ended, ALPN %j', async (alpn) => {
  const { port, ends } = await start({ headTimeout: 300 });
  const { helloOfNode } = await import('../support/hellos.ts');
  const hello = await helloOfNode({ servername: 'look.test', ...(alpn && { ALPNProtocols: alpn }) });
  const client = await connectRaw(port, hello);
  await client.ended;
  await eventually('the end', () => ends.length === 1);
  expect(ends[0]?.requests).toBe(0);
});

test('a client that is silent inside is ended by the deadline for a head, over HTTP/1.1 and HTTP/2', async () => {
  const { port, ends } = await start({ headTimeout: 300, idleTimeout: 60_000 });
  await tls(port);
  http2(port);
  await eventually('both ended', () => ends.length === 2);
  for (const end of ends) expect(end.requests).toBe(0);
});

test('an HTTP/2 client that asks and never reads is ended by the idle limit', async () => {
  const { port, ends, open } = await start({
    idleTimeout: 400,
    arrived: (arrival) => {
      if ('res' in arrival) (arrival.res as NodeJS.WritableStream).end(Buffer.alloc(4_000_000));
    },
  });
  const session = http2(port);
  const stream = session.request({ ':path': '/', ':authority': 'look.test' });
  stream.on('error', () => undefined).pause();
  await eventually('the end', () => ends.length === 1);
  expect(open.size).toBe(0);
});

test('plain HTTP in the tunnel is read without TLS', async () => {
  const { port, arrivals, ends } = await start({ target: { host: 'look.test' as never, kind: 'name', port: 80 } });
  const client = await connectRaw(port, get);
  await client.until('<GET http 1.1 /a >');
  client.write('GET / HTTP/1.1\r\nHost: deny.test\r\n\r\n');
  expect((await client.ended).text).toContain(' 421 ');
  expect(arrivals[0]).toMatchObject({ tunnel: { id: 'outer' }, facts: { scheme: 'http' } });
  await eventually('the end', () => ends.length === 1);
});

test('a WebSocket inside is an upgrade arrival', async () => {
  const { port, arrivals } = await start();
  const client = await tls(port, { ALPNProtocols: ['http/1.1'] });
  client.write('GET /ws HTTP/1.1\r\nHost: look.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly');
  expect((await client.ended).text).toBe('upgrade early');
  expect(arrivals[0]).toMatchObject({ kind: 'upgrade', facts: { scheme: 'https' }, tunnel: { id: 'outer' } });
});

test('garbage inside TLS is answered 400', async () => {
  const { port } = await start();
  const client = await tls(port);
  client.write('garbage\r\n\r\n');
  expect((await client.ended).text).toContain('X-Proxy-Error: malformed_request');
});

test('a socket that is over holds on to nothing that stood on its connection', async () => {
  const { port, arrivals, ends } = await start();
  const client = await tls(port);
  client.write(get);
  await client.until('<GET');
  const [arrival] = arrivals;
  const socket: (Socket & Marked) | undefined =
    arrival !== undefined && 'res' in arrival ? arrival.req.socket : undefined;
  if (socket === undefined) throw new Error('no request arrived');
  const below = Reflect.get(socket, '_parent') as Socket;
  expect([socket[INSIDE]?.id, below.listenerCount('close') > 0]).toEqual(['outer', true]);
  client.socket.end();
  await eventually('the end', () => ends.length === 1 && socket.listenerCount('close') === 0);
  expect([socket[INSIDE], Reflect.get(socket, '_parent')]).toEqual([undefined, null]);
  expect([socket.eventNames(), below.eventNames()]).toEqual([['error'], ['error']]);
});

test('a tunnel that is gone before it is taken is over at once', async () => {
  const { createDecrypted } = await import('../../src/listen/decrypted.ts');
  const { socketPair } = await import('../support/streams.ts');
  const never = (): never => {
    throw new Error('unexpected');
  };
  const options = { headTimeout: 1_000, idleTimeout: 1_000, contextFor: never, arrived: never };
  const decrypted = createDecrypted({ ...options, rejectRequest: never, reject: never });
  const { near } = await socketPair();
  near.destroy();
  await new Promise((resolve) => near.once('close', resolve));
  const tunnel = {
    id: 'x',
    target: { host: 'look.test' as never, kind: 'name', port: 80 },
    denial: {} as never,
  } as const;
  const hello = { kind: 'other', why: 'not-tls', bytes: Buffer.from(get) } as const;
  expect(await decrypted.take(near, tunnel, hello)).toMatchObject({ requests: 0 });
});
