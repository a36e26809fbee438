import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { framed, helloMessage, serverNames } from '../support/hellos.ts';
import { connectRaw, eventually, exchange, tcpOrigin } from '../support/streams.ts';
import { startWired } from '../support/wiring.ts';

const connect = (port: number): string => `CONNECT ok.test:${port} HTTP/1.1\r\nHost: ok.test\r\n\r\n`;
const hello = framed(helloMessage([serverNames([0, 'ok.test'])]));
const established = 'HTTP/1.1 200 Connection established\r\n\r\n';

test('a hello that came along with the CONNECT reaches the origin once, and both sides go on', async () => {
  const origin = await tcpOrigin((socket) => socket.pipe(socket));
  const wired = await startWired({ tlsRequired: [origin.port] });
  const client = await connectRaw(wired.port, Buffer.concat([Buffer.from(connect(origin.port)), hello]));
  const echoed = established + hello.toString('latin1');
  expect(await client.until(echoed)).toBe(echoed);
  client.socket.end('more');
  expect(await client.ended).toEqual({ how: 'fin', text: `${echoed}more` });
  const outcome = await wired.outcome();
  expect(outcome).toMatchObject({ kind: 'passed', status: 200, bytesIn: hello.length + 4, bytesOut: hello.length + 4 });
});

test('a client that leaves while its tunnel is dialled is reset at once, and nothing is dialled for it any more', async () => {
  const origin = await tcpOrigin(() => undefined);
  let dial = (): void => undefined;
  const wired = await startWired({ dialAfter: new Promise((resolve) => (dial = resolve)) });
  const client = await connectRaw(wired.port, connect(origin.port));
  client.socket.end();
  expect(await client.ended).toEqual({ how: 'reset', text: '' });
  dial();
  expect(await wired.outcome()).toMatchObject({ kind: 'failed', error: 'client_closed', status: null });
  expect(origin.taken()).toBe(0);
});

test.each(['with the CONNECT', 'during the dial'])(
  'what a client says %s, and then no more, is its whole say',
  async (when) => {
    const origin = await tcpOrigin((socket) => socket.pipe(socket));
    const wired = await startWired({ dialAfter: new Promise((resolve) => setTimeout(resolve, 500)) });
    const early = when === 'with the CONNECT' ? hello : Buffer.alloc(0);
    const client = await connectRaw(wired.port, Buffer.concat([Buffer.from(connect(origin.port)), early]));
    if (early.length === 0) {
      await eventually(
        'the dial is a slow one',
        () => performance.now() - (wired.arrivals[0]?.started ?? Infinity) > 200,
      );
      client.write(hello);
    }
    client.socket.end();
    expect(await client.ended).toEqual({ how: 'fin', text: established + hello.toString('latin1') });
    expect(await wired.outcome()).toMatchObject({ kind: 'passed', bytesIn: hello.length });
  },
);

test('an origin that speaks first is heard where TLS is not required', async () => {
  const origin = await tcpOrigin((socket) => {
    socket.write('220 hello\r\n');
    socket.on('data', (chunk: Buffer) => socket.end(`got ${chunk.toString()}`));
  });
  const { port } = await startWired();
  const client = await connectRaw(port, connect(origin.port));
  await client.until('220 hello\r\n');
  client.write('EHLO');
  expect((await client.ended).text).toBe(`${established}220 hello\r\ngot EHLO`);
});

test.each([
  ['what is not TLS', 'GET / HTTP/1.1\r\n\r\n', 'tls_required'],
  ['half a hello', hello.subarray(0, 60), 'tls_required'],
  ['nothing', '', 'hello_timeout'],
])('behind a port for TLS, %s is cut and never relayed', async (_, bytes, error) => {
  let got = 0;
  const origin = await tcpOrigin((socket) => socket.on('data', (chunk: Buffer) => (got += chunk.length)));
  const wired = await startWired({ tlsRequired: [origin.port], patience: 200 });
  const client = await connectRaw(wired.port, connect(origin.port));
  await client.until(established);
  client.write(bytes);
  expect((await client.ended).how).toBe('reset');
  expect(await wired.outcome()).toMatchObject({ kind: 'failed', error });
  expect(got).toBe(0);
});

test('a connection that is refused is answered 502, and the answer is readable', async () => {
  const gone = await tcpOrigin(() => undefined);
  const wired = await startWired();
  const text = await exchange(wired.port, `${connect(1)}\x16\x03\x01`);
  expect(text).toMatch(/^HTTP\/1\.1 502 connection_refused\r\n.*\r\n\r\nThe destination refused the connection\.\n$/s);
  expect(await wired.outcome()).toMatchObject({ kind: 'failed', error: 'connection_refused', status: 502 });
  expect(gone.taken()).toBe(0);
});

test.each(['down', 'up'] as const)('64 MiB %s arrive byte-exact', async (direction) => {
  const body = randomBytes(64 * 1024 * 1024);
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const got: Buffer[] = [];
  const origin = await tcpOrigin((socket) => {
    if (direction === 'down') socket.resume().end(body);
    else socket.on('data', (chunk: Buffer) => got.push(chunk)).on('end', () => socket.end());
  });
  const wired = await startWired();
  const client = await connectRaw(wired.port, connect(origin.port));
  await client.until(established);
  if (direction === 'up') client.socket.write(body);
  else client.write('x');
  client.socket.end();
  const { text } = await client.ended;
  const arrived = direction === 'up' ? Buffer.concat(got) : Buffer.from(text.slice(established.length), 'latin1');
  expect(hash(arrived)).toBe(hash(body));
  expect(await wired.outcome()).toMatchObject({ kind: 'passed', error: null });
});

test('many downloads at once do not mix, some of them cut in the middle', async () => {
  const origin = await tcpOrigin((socket) => {
    socket.once('data', (chunk: Buffer) => socket.end(Buffer.alloc(3_000_000, chunk[0])));
    socket.on('end', () => socket.end());
  });
  const wired = await startWired();
  const all = Array.from({ length: 30 }, async (_, i) => {
    const client = await connectRaw(wired.port, connect(origin.port));
    await client.until(established);
    const letter = String.fromCharCode(65 + (i % 26));
    client.write(letter);
    if (i % 5 === 0) client.socket.once('data', () => client.socket.resetAndDestroy());
    const { text } = await client.ended;
    const body = text.slice(established.length);
    expect(body.replaceAll(letter, '')).toBe('');
    if (i % 5 !== 0) expect(body.length).toBe(3_000_000);
  });
  await Promise.all(all);
  await eventually('nothing is left', () => wired.connections() === 0 && origin.open.size === 0);
  await eventually('all outcomes', () => wired.outcomes.length === 30);
});
