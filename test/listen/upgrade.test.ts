import { execFile } from 'node:child_process';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { pipeBody } from '../../src/act/pipe-body.ts';
import { get, startEcho, startLate } from '../support/echo.ts';
import { connectRaw, eventually, exchange } from '../support/streams.ts';

const run = promisify(execFile);

const upgradeTo = (protocol: string): string => `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`;

test.each(['h2c', 'TLS/1.0', 'H2C, other'])('the wish to upgrade to %s is not granted', async (protocol) => {
  const { port } = await startEcho();
  const more = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQ\r\n`;
  const client = await connectRaw(port, get('/', more) + get('/second'));
  const text = await client.until('<GET /second >');
  expect(text).toContain('<GET / >');
  expect(text).not.toContain(' 101 ');
});

test('a body behind an upgrade that is not granted stays its body', async () => {
  const { port } = await startEcho();
  const head = 'POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n';
  const client = await connectRaw(port, `${head}Content-Length: 4\r\n\r\nbody${get('/second')}`);
  const text = await client.until(/<GET \/second >|Connection: close[^]*<POST/);
  expect(text).toContain('<POST / body>');
  // What Node.js drops behind such a request is not waited for: the connection ends, and the client asks again.
  if (text.includes('Connection: close')) expect((await client.ended).how).toBe('fin');
});

test.each([
  ['a CONNECT', 'CONNECT deny.test:443 HTTP/1.1\r\nHost: deny.test:443\r\n'],
  ['a WebSocket', get('/ws', upgradeTo('websocket')).slice(0, -2)],
])('%s with content is refused in its turn, and may leave in the middle of it', async (_, head) => {
  for (const content of ['Content-Length: 5\r\n\r\nearly', 'Content-Length: 50\r\n\r\nearly']) {
    const { port, arrivals, rejections, first } = await startLate();
    const client = await connectRaw(port, get('/') + head + content);
    await eventually('the first', () => arrivals.length === 1);
    first().end('the first');
    const text = await client.until('X-Proxy-Error: malformed_request');
    expect(text.indexOf('the first')).toBeLessThan(text.indexOf(' 400 '));
    expect(text.indexOf('the first')).toBeGreaterThan(0);
    await client.ended;
    expect(rejections).toHaveLength(1);
    const leaving = await connectRaw(port, head + content);
    leaving.socket.resetAndDestroy();
    await leaving.ended;
  }
});

test.each([
  ['a CONNECT', 'CONNECT ok.test:80 HTTP/1.1\r\nHost: ok.test:80\r\n', 'tunnel'],
  ['a WebSocket', get('/ws', upgradeTo('websocket')).slice(0, -2), 'upgrade'],
])('%s may say that it has no content', async (_, head, kind) => {
  const { port } = await startEcho();
  const client = await connectRaw(port, get('/'));
  await client.until('<GET / >');
  client.write(`${head}Content-Length: 0\r\n\r\nearly`);
  expect((await client.ended).text).toContain(`${kind} ok.test:80 early`);
});

test('curl --http2 in the clear gets its answer by HTTP/1.1', async () => {
  const { port } = await startEcho();
  const { stdout } = await run('curl', ['-sS', '--http2', '-x', `http://127.0.0.1:${port}`, 'http://ok.test/x']);
  expect(stdout).toBe('<GET /x >');
});

test('a WebSocket is an upgrade arrival with what came behind it', async () => {
  const { port, arrivals } = await startEcho();
  const text = await exchange(port, `${get('/ws', 'Connection: Upgrade\r\nUpgrade: WebSocket\r\n')}early`);
  expect(text).toBe('upgrade ok.test:80 early');
  expect(arrivals[0]).toMatchObject({ kind: 'upgrade', facts: { path: '/ws' }, tunnel: null });
});

const behind = [
  ['a CONNECT', 'CONNECT deny.test:443 HTTP/1.1\r\nHost: deny.test:443\r\n\r\nearly', 'tunnel deny.test early'],
  ['a WebSocket', `${get('/ws', upgradeTo('websocket'))}early`, 'upgrade ok.test early'],
  ['another upgrade', get('/h2', upgradeTo('h2c')), '<GET /h2 >'],
  ['one with content', `${get('/h2', `${upgradeTo('h2c')}Content-Length: 5\r\n`)}early`, '<GET /h2 early>'],
] as const;

test.each(behind)('%s behind requests that are not answered yet waits for its turn', async (_, next, expected) => {
  const { port, arrivals, first } = await startLate();
  const all = get('/') + get('/second') + next;
  const client = await connectRaw(port, all.slice(0, -2));
  await eventually('the first', () => arrivals.length === 1);
  client.write(all.slice(-2));
  await eventually('all of it', () => first().req.socket.bytesRead === all.length);
  first().end('the first');
  const text = await client.until(expected);
  expect(text.indexOf('the first')).toBeLessThan(text.indexOf('<GET /second >'));
  expect(text.indexOf('<GET /second >')).toBeLessThan(text.indexOf(expected));
  expect(arrivals).toHaveLength(3);
});

test.each(behind)(
  'an answer that is read slowly comes whole, with %s behind its request',
  async (_, next, expected) => {
    const { port, arrivals, first } = await startLate();
    const { socket } = await connectRaw(port, get('/') + next);
    await eventually('the first', () => arrivals.length === 1);
    socket.pause().removeAllListeners('data');
    const body = Readable.from(Array.from({ length: 200 }, () => Buffer.alloc(64 * 1024, 'x')));
    body.once('end', () => first().end());
    pipeBody(body, first());
    await eventually('that it waits for its client', () => first().writableNeedDrain);
    let seen = 0;
    let last = '';
    socket.on('data', (bytes: Buffer) => {
      for (const byte of bytes) if (byte === 0x78) seen += 1;
      last = (last + bytes.toString('latin1')).slice(-200);
    });
    socket.resume();
    await eventually('what comes behind it', () => last.includes(expected));
    expect(seen).toBe(200 * 64 * 1024);
  },
);

test.each(behind)('a client that leaves with %s behind its request ends that request', async (_, next) => {
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const { port, arrivals, first } = await startLate();
    const client = await connectRaw(port, get('/') + next);
    await eventually('the first', () => arrivals.length === 1);
    client.socket[leave]();
    await eventually('its end', () => first().destroyed);
    expect(arrivals).toHaveLength(1);
  }
});

test('what waits behind a request to switch protocols is left with the system where it is much', async () => {
  const { port, arrivals, first } = await startLate();
  const body = 'x'.repeat(4_000_000);
  const more = `${upgradeTo('h2c')}Content-Length: ${body.length}\r\n`;
  const client = await connectRaw(port, get('/') + get('/h2', more).replace('GET', 'POST') + body);
  await eventually('the first', () => arrivals.length === 1);
  await eventually('some of it', () => first().req.socket.bytesRead > 32 << 10);
  expect(first().req.socket.bytesRead).toBeLessThan(512 << 10);
  first().end('the first');
  await eventually('all of it', () => arrivals.length === 2 && client.seen().endsWith('x>'));
  expect(client.seen()).toContain(`<POST /h2 ${body}>`);
});
