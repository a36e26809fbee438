/**
 * Tunnels that are denied as a whole: their first request is read here where it can be, and by the server where it
 * cannot.
 */
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { reset } from '../../src/reset.ts';
import { makeCertificate, type TestCertificate } from '../support/certificate.ts';
import { startIntercepted, type Intercepted, type InterceptedSettings } from '../support/intercepted.ts';
import { helloOfNode } from '../support/hellos.ts';
import { connectRaw, eventually, rawClient, type RawClient } from '../support/streams.ts';

let certificate: TestCertificate;
beforeAll(() => {
  certificate = makeCertificate('look.test', '127.0.0.1');
});
afterAll(() => certificate.remove());

const start = (settings: Omit<InterceptedSettings, 'certificate'> = {}): Promise<Intercepted> =>
  startIntercepted({ certificate, strict: true, ...settings });

async function open(port: number): Promise<RawClient & { readonly socket: TLSSocket }> {
  const socket = connectTls({ host: '127.0.0.1', port, servername: 'look.test', ca: certificate.cert });
  onTestFinished(() => void socket.destroy());
  const client = rawClient(socket);
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return { ...client, socket };
}

const get = 'GET /a?b HTTP/1.1\r\nHost: look.test\r\nUser-Agent: x/1\r\n\r\n';

test('a request that came whole and alone is one arrival, with a socket to answer it on', async () => {
  const { port, arrivals, ends } = await start();
  const client = await open(port);
  client.write(get);
  expect((await client.ended).text).toBe('<lone GET /a?b>');
  await eventually('the end', () => ends.length === 1);
  expect(ends).toEqual([{ requests: 1, error: null }]);
  expect(arrivals).toHaveLength(1);
  expect(arrivals[0]).toMatchObject({
    kind: 'request',
    clientAddress: '127.0.0.1',
    userAgent: 'x/1',
    target: { host: 'look.test', port: 443 },
    facts: { method: 'GET', path: '/a?b', scheme: 'https', httpVersion: '1.1', headers: { 'user-agent': 'x/1' } },
    tunnel: { id: 'outer' },
  });
  expect(arrivals[0]).not.toHaveProperty('res');
});

test('session tickets are for clients that name a way to use them', async () => {
  const { port, resuming } = await start();
  const hello = await helloOfNode({ servername: 'look.test' });
  const modes = hello.indexOf(Buffer.from('002d00020101', 'hex'));
  expect(modes).toBeGreaterThan(0);
  const unable = Buffer.from(hello);
  unable.writeUInt16BE(0x4469, modes);
  for (const bytes of [hello, unable]) {
    const client = await connectRaw(port, bytes);
    // A ServerHello: the handshake goes on.
    await client.until('\x16\x03\x03');
    client.socket.destroy();
  }
  expect(resuming).toEqual([true, false]);
});

test('what comes behind it is dropped', async () => {
  let answer = (): void => undefined;
  const { port, arrivals } = await start({
    arrived: (arrival) => {
      if ('socket' in arrival) answer = () => void arrival.socket.end('the answer');
    },
  });
  const client = await open(port);
  client.write(get);
  await eventually('the request', () => arrivals.length === 1);
  client.write(get);
  await new Promise((resolve) => setTimeout(resolve, 50));
  answer();
  expect((await client.ended).text).toBe('the answer');
  expect(arrivals).toHaveLength(1);
});

test.each([
  ['in pieces', [get.slice(0, 9), get.slice(9)], '<GET https 1.1 /a?b >'],
  ['with its content behind it', ['POST /c HTTP/1.1\r\nContent-Length: 2\r\n\r\n', 'hi'], '<POST https 1.1 /c hi>'],
  [
    'in chunks',
    ['POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'],
    '<POST https 1.1 /c hi>',
  ],
  ['of HTTP/1.0', ['GET /d HTTP/1.0\r\n\r\n'], '<GET https 1.0 /d >'],
])('a request %s is read by the server', async (_, pieces, answer) => {
  const { port, arrivals } = await start();
  const client = await open(port);
  for (const piece of pieces) {
    client.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  await client.until(answer);
  expect(arrivals[0]).toHaveProperty('res');
});

test('two requests at once are both read by the server', async () => {
  const { port, arrivals } = await start();
  const client = await open(port);
  client.write(get + get);
  await client.until('<GET https 1.1 /a?b >');
  await eventually('both', () => arrivals.length === 2);
});

test('a WebSocket is an upgrade, and nonsense is answered', async () => {
  const { port, arrivals } = await start();
  const socket = await open(port);
  socket.write('GET /ws HTTP/1.1\r\nHost: look.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  expect((await socket.ended).text).toBe('upgrade ');
  expect(arrivals[0]?.kind).toBe('upgrade');
  const nonsense = await open(port);
  nonsense.write('nonsense\r\n\r\n');
  expect((await nonsense.ended).text).toContain('X-Proxy-Error: malformed_request');
});

test('a request for another host is told so', async () => {
  const { port, arrivals, rejections } = await start();
  const client = await open(port);
  client.write('GET / HTTP/1.1\r\nHost: deny.test\r\n\r\n');
  expect((await client.ended).text).toContain('HTTP/1.1 421 ');
  expect([arrivals, rejections]).toEqual([[], ['misdirected_request']]);
});

test('who says nothing inside is told that it took too long, and counts as nobody who asked', async () => {
  const { port, rejections, ends } = await start({ headTimeout: 300 });
  const client = await open(port);
  expect((await client.ended).text).toContain('X-Proxy-Error: request_timeout');
  await eventually('the end', () => ends.length === 1);
  expect([rejections, ends]).toEqual([['request_timeout'], [{ requests: 0, error: null }]]);
});

test('who says half a request is told so by the server, in its time', async () => {
  const { port, rejections } = await start({ headTimeout: 300 });
  const client = await open(port);
  client.write(get.slice(0, 20));
  expect((await client.ended).text).toContain('X-Proxy-Error: request_timeout');
  expect(rejections).toEqual(['request_timeout']);
});

test('who does not read the answer is ended by the idle limit', async () => {
  const {
    port,
    ends,
    open: connections,
  } = await start({
    idleTimeout: 400,
    arrived: (arrival) => {
      if ('socket' in arrival) arrival.socket.end(Buffer.alloc(16_000_000));
    },
  });
  const { socket } = await open(port);
  socket.removeAllListeners('data').pause().write(get);
  await eventually('the end', () => ends.length === 1);
  expect(connections.size).toBe(0);
});

test('a client that resets before it asks, or before it is answered, leaves nothing behind', async () => {
  const { port, ends, open: connections } = await start({ arrived: () => undefined });
  const early = await open(port);
  early.socket.destroy();
  await eventually('the first end', () => ends.length === 1);
  const late = await open(port);
  late.write(get);
  await new Promise((resolve) => setTimeout(resolve, 50));
  reset(late.socket);
  await eventually('the second end', () => ends.length === 2);
  expect(ends.map(({ requests }) => requests)).toEqual([0, 1]);
  expect(connections.size).toBe(0);
});

test('who is about to ask is not ended as one that is idle', async () => {
  const { port, closeIdle } = await start();
  const client = await open(port);
  closeIdle();
  await new Promise((resolve) => setTimeout(resolve, 50));
  client.write(get);
  expect((await client.ended).text).toBe('<lone GET /a?b>');
});

test.each([
  ['silence', () => undefined],
  ['an empty line', (client: RawClient) => client.write('\r\n')],
])('who has not begun to ask soon after is ended as one that is idle, without an answer: %s', async (_, say) => {
  const { port, closeIdle, rejections, ends } = await start({ headTimeout: 60_000 });
  const client = await open(port);
  say(client);
  closeIdle();
  // As a drain does it, again and again.
  const again = setInterval(closeIdle, 50);
  onTestFinished(() => clearInterval(again));
  expect((await client.ended).text).toBe('');
  await eventually('the end', () => ends.length === 1);
  expect([rejections, ends]).toEqual([[], [{ requests: 0, error: null }]]);
});

test('so is who stops in the middle of the handshake', async () => {
  const { port, closeIdle, names, ends } = await start({ headTimeout: 60_000 });
  const client = await connectRaw(port, await helloOfNode({ servername: 'look.test' }));
  await eventually('the handshake', () => names.length === 1);
  closeIdle();
  await client.ended;
  await eventually('the end', () => ends.length === 1);
  expect(ends).toEqual([{ requests: 0, error: null }]);
});

test('who has asked and waits for the answer is not ended with the idle', async () => {
  let answer = (): void => undefined;
  const { port, arrivals, closeIdle } = await start({
    arrived: (arrival) => {
      if ('socket' in arrival) answer = () => void arrival.socket.end('the answer');
    },
  });
  const [asking, idle] = [await open(port), await open(port)];
  asking.write(get);
  await eventually('the request', () => arrivals.length === 1);
  closeIdle();
  await idle.ended;
  answer();
  expect((await asking.ended).text).toBe('the answer');
});

test('empty lines give nobody more time, and a request behind them is read', async () => {
  const { port, rejections } = await start({ headTimeout: 400 });
  const since = performance.now();
  const client = await open(port);
  const lines = setInterval(() => client.write('\r\n'), 50);
  await client.ended;
  clearInterval(lines);
  expect(performance.now() - since).toBeLessThan(750);
  expect(rejections).toEqual(['request_timeout']);
  const late = await open(port);
  late.write('\r\n');
  await new Promise((resolve) => setTimeout(resolve, 50));
  late.write(get);
  expect((await late.ended).text).toBe('<lone GET /a?b>');
});

test('a request that comes after its time is none', async () => {
  const { port, arrivals, rejections } = await start({ headTimeout: 300 });
  const socket = await open(port);
  await socket.until('X-Proxy-Error: request_timeout');
  socket.write(get);
  await socket.ended;
  expect([arrivals, rejections]).toEqual([[], ['request_timeout']]);
});
