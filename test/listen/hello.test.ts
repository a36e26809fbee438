import { expect, test } from 'vitest';
import { readHello } from '../../src/listen/hello.ts';
import { alpn, framed, helloMessage, serverNames } from '../support/hellos.ts';
import { eventually, socketPair } from '../support/streams.ts';

const hello = framed(helloMessage([serverNames([0, 'Deny.TEST.']), alpn('h2')]));
const none = Buffer.alloc(0);
const PATIENT = 10_000;

test('a hello that came with the CONNECT is told at once, with the name in canonical form', async () => {
  const { near } = await socketPair();
  const got = await readHello(near, hello, 8443, PATIENT).hello;
  const serverName = { host: 'deny.test', kind: 'name', port: 8443 };
  expect(got).toEqual({ kind: 'tls', serverName, alpn: ['h2'], ech: false, resumable: true, bytes: hello });
});

test.each([0, 1, 5, 60, hello.length - 1])('%i bytes early, the rest one by one', async (early) => {
  const { near, far } = await socketPair();
  const reading = readHello(near, hello.subarray(0, early), 443, PATIENT).hello;
  for (const byte of hello.subarray(early)) far.write(Buffer.from([byte]));
  const got = await reading;
  expect(got).toMatchObject({ kind: 'tls', alpn: ['h2'] });
  expect(got.bytes.equals(hello)).toBe(true);
  far.write('later');
  await eventually('what comes later waits', () => near.readableLength === 5);
});

test('bytes behind the hello are neither lost nor read twice', async () => {
  const { near, far } = await socketPair();
  far.write(Buffer.concat([hello, Buffer.from('early data')]));
  const got = await readHello(near, none, 443, PATIENT).hello;
  far.end('later data');
  const later: Buffer[] = [];
  for await (const chunk of near) later.push(chunk as Buffer);
  expect(Buffer.concat([got.bytes, ...later]).toString('latin1')).toBe(
    `${hello.toString('latin1')}early datalater data`,
  );
});

test.each([
  ['127.0.0.1'],
  ['0x7f.1'],
  ['::1'],
  ['[::1]'],
  ['<script>alert(1)</script>'],
  ['a\r\nX: y'],
  ['ä.test'],
  ['ok.test\0.deny.test'],
  ['a'.repeat(255)],
  ['a'.repeat(256)],
  ['ok.test:443'],
  ['user@ok.test'],
  ['*.test'],
  ['deny%2etest'],
  ['.'],
])('the server name %j is no name', async (name) => {
  const { near } = await socketPair();
  const bytes = framed(helloMessage([serverNames([0, name])]));
  expect(await readHello(near, bytes, 443, PATIENT).hello).toEqual({ kind: 'other', why: 'bad-server-name', bytes });
});

test('no server name is told as none', async () => {
  const { near } = await socketPair();
  expect(await readHello(near, framed(helloMessage([])), 443, PATIENT).hello).toMatchObject({ serverName: null });
});

test.each([
  ['SSH-2.0-x\r\n', 'not-tls'],
  ['\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00', 'malformed-tls'],
  ['\x16\x03\x01\x40\x00\x01\xff\xff\xff', 'too-large'],
] as const)('%j is %s', async (text, why) => {
  const { near, far } = await socketPair();
  const bytes = Buffer.from(text, 'latin1');
  far.write(bytes);
  expect(await readHello(near, none, 443, PATIENT).hello).toEqual({ kind: 'other', why, bytes });
});

test('silence is told when patience ends, half a hello is not silence', async () => {
  const { near } = await socketPair();
  expect(await readHello(near, none, 443, 30).hello).toEqual({ kind: 'other', why: 'silent', bytes: none });
  const half = hello.subarray(0, 40);
  expect(await readHello(near, half, 443, 30).hello).toEqual({ kind: 'other', why: 'malformed-tls', bytes: half });
});

test('patience is absolute: bytes that trickle do not prolong it', async () => {
  const { near, far } = await socketPair();
  let at = 0;
  const trickle = setInterval(() => {
    far.write(hello.subarray(at, at + 1));
    at += 1;
  }, 10);
  const started = performance.now();
  const got = await readHello(near, none, 443, 200).hello;
  clearInterval(trickle);
  expect(got).toMatchObject({ kind: 'other', why: 'malformed-tls' });
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('a hello that has begun has its own deadline, where silence may last', async () => {
  const { near, far } = await socketPair();
  const rival = { onFirstBytes: () => undefined };
  const reading = readHello(near, none, 8443, 60_000, rival, 100).hello;
  far.write(hello.subarray(0, 10));
  expect(await reading).toMatchObject({ kind: 'other', why: 'malformed-tls' });
  const early = readHello(near, hello.subarray(0, 10), 8443, 60_000, rival, 100).hello;
  expect(await early).toMatchObject({ kind: 'other', why: 'malformed-tls' });
});

test('giving up ends the wait', async () => {
  const { near, far } = await socketPair();
  const reading = readHello(near, none, 443, PATIENT);
  reading.giveUp();
  expect(await reading.hello).toMatchObject({ kind: 'other', why: 'server-first' });
  far.write('later');
  await eventually('what comes later waits', () => near.readableLength === 5);
});

test('giving up after the hello was told does not touch the socket again', async () => {
  const { near, far } = await socketPair();
  const reading = readHello(near, none, 443, PATIENT);
  far.write(hello);
  await reading.hello;
  near.resume();
  reading.giveUp();
  expect(near.isPaused()).toBe(false);
});

test.each([
  ['a FIN', (far: { end: () => unknown }) => far.end()],
  ['a reset', (far: { resetAndDestroy: () => unknown }) => far.resetAndDestroy()],
] as const)('%s ends the wait', async (_, end) => {
  const { near, far } = await socketPair();
  const reading = readHello(near, none, 443, PATIENT);
  const got = reading.hello;
  end(far);
  expect(await got).toEqual({ kind: 'other', why: 'ended', bytes: none });
});

test('a FIN behind half a hello keeps the half', async () => {
  const { near, far } = await socketPair();
  const reading = readHello(near, none, 443, PATIENT).hello;
  far.end(hello.subarray(0, 50));
  expect(await reading).toEqual({ kind: 'other', why: 'ended', bytes: hello.subarray(0, 50) });
});

test('a socket that is gone already is ended', async () => {
  const { near } = await socketPair();
  near.destroy();
  expect(await readHello(near, none, 443, PATIENT).hello).toMatchObject({ why: 'ended' });
});

test('leaves no listener behind, however often it is asked', async () => {
  const { near, far } = await socketPair();
  const count = (): number => ['data', 'end', 'close'].reduce((sum, name) => sum + near.listenerCount(name), 0);
  far.write(hello);
  await readHello(near, none, 443, PATIENT).hello;
  const before = count();
  far.write(hello);
  await readHello(near, none, 443, PATIENT).hello;
  expect(count()).toBe(before);
});
