import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { createClientHelloReader, MAX_HELLO, type ClientHello } from '../../src/listen/client-hello.ts';
import {
  alpn,
  extension,
  framed,
  helloMessage,
  helloOfNode,
  helloOfOpenssl,
  messageOf,
  serverNames,
} from '../support/hellos.ts';

/** Pushes bytes in pieces; stops, as the caller must, at the first answer that is not `more`. */
function read(bytes: Buffer, size = bytes.length): ClientHello {
  const reader = createClientHelloReader();
  let latest: ClientHello = { kind: 'more' };
  for (let at = 0; at < bytes.length && latest.kind === 'more'; at += size)
    latest = reader.push(bytes.subarray(at, at + size));
  return latest;
}

const named = (serverName: string | null, ...offered: string[]): ClientHello & { readonly kind: 'hello' } => ({
  kind: 'hello',
  serverName,
  alpn: offered,
  ech: false,
  resumable: true,
});

const manyProtocols = Array.from({ length: 90 }, (_, i) => `protocol-with-a-long-name-number-${i}`);
const real: Record<string, { readonly bytes: Buffer; readonly expected: ClientHello }> = {};

beforeAll(async () => {
  const [plain, bare, modern, old, s, sNone, sMany] = await Promise.all([
    helloOfNode({ servername: 'ok.test' }),
    helloOfNode({}),
    helloOfNode({ servername: 'Mixed.Case.test', ALPNProtocols: ['h2', 'http/1.1'] }),
    helloOfNode({ servername: 'ok.test', maxVersion: 'TLSv1.2' }),
    helloOfOpenssl('-servername', 'ok.test', '-alpn', 'h2,http/1.1'),
    helloOfOpenssl('-noservername'),
    helloOfOpenssl('-servername', 'ok.test', '-alpn', manyProtocols.join(',')),
  ]);
  real['node'] = { bytes: plain, expected: named('ok.test') };
  real['node without a name'] = { bytes: bare, expected: named(null) };
  real['node with ALPN'] = { bytes: modern, expected: named('Mixed.Case.test', 'h2', 'http/1.1') };
  real['node with TLS 1.2'] = { bytes: old, expected: named('ok.test') };
  real['openssl'] = { bytes: s, expected: named('ok.test', 'h2', 'http/1.1') };
  real['openssl without a name'] = { bytes: sNone, expected: named(null) };
  real['openssl with 90 protocols'] = { bytes: sMany, expected: named('ok.test', ...manyProtocols) };
});

const clients = [
  ...['node', 'node without a name', 'node with ALPN', 'node with TLS 1.2'],
  ...['openssl', 'openssl without a name', 'openssl with 90 protocols'],
];

function helloOf(client: string): { readonly bytes: Buffer; readonly expected: ClientHello } {
  const found = real[client];
  if (found === undefined) throw new Error(`no hello of ${client}`);
  return found;
}

test.each(clients)('the hello of %s, cut at every position', (client) => {
  const { bytes, expected } = helloOf(client);
  for (let cut = 0; cut < bytes.length; cut += 1) {
    const reader = createClientHelloReader();
    expect(reader.push(bytes.subarray(0, cut))).toEqual({ kind: 'more' });
    expect(reader.push(bytes.subarray(cut))).toEqual(expected);
  }
});

test.each(clients)('the hello of %s in other records, byte by byte and at once', (client) => {
  const { bytes, expected } = helloOf(client);
  const message = messageOf(bytes);
  for (const size of [1, 2, 3, 4, 5, 90, 1_000]) {
    for (const step of [1, 7, 1_000_000]) expect(read(framed(message, size), step)).toEqual(expected);
  }
});

test.each([0x0300, 0x0301, 0x0303, 0x0399])('record version %i is read as OpenSSL reads it', (version) => {
  expect(read(framed(helloMessage([serverNames([0, 'ok.test'])]), 16_384, version))).toEqual(named('ok.test'));
});

test('an empty record first', () => {
  const empty = Buffer.from([22, 3, 1, 0, 0]);
  const bytes = Buffer.concat([empty, empty, framed(helloMessage([serverNames([0, 'ok.test'])]))]);
  for (const step of [1, 4, 6, 1_000]) expect(read(bytes, step)).toEqual(named('ok.test'));
});

test('empty records for ever are refused, in bounded memory', () => {
  const empty = Buffer.from([22, 3, 1, 0, 0]);
  expect(read(Buffer.concat(Array.from({ length: 200_000 }, () => empty)), 1_000).kind).toBe('bad');
});

test('what follows the hello does not disturb it', () => {
  const hello = framed(helloMessage([serverNames([0, 'ok.test'])]));
  expect(read(Buffer.concat([hello, Buffer.from('anything at all')]))).toEqual(named('ok.test'));
});

test('60,000 bytes of padding before the name are read', () => {
  const padding = extension(21, Buffer.alloc(60_000));
  const message = helloMessage([padding, serverNames([0, 'deny.test']), alpn('h2')]);
  for (const [size, step] of [[16_384, 1_400] as const, [16_384, 100_000] as const, [16, 4_096] as const])
    expect(read(framed(message, size), step)).toEqual(named('deny.test', 'h2'));
});

test('records of one byte are read, and refused once there are more than any tool makes', () => {
  const name = serverNames([0, 'deny.test']);
  const ordinary = helloMessage([extension(21, Buffer.alloc(3_500)), name, alpn('h2')]);
  expect(read(framed(ordinary, 1), 1)).toEqual(named('deny.test', 'h2'));
  const padded = framed(helloMessage([extension(21, Buffer.alloc(5_000)), name]), 1);
  expect(read(padded.subarray(0, 4_096 * 6), 1)).toEqual({ kind: 'more' });
  expect(read(padded.subarray(0, 4_096 * 6 + 5), 1)).toEqual({ kind: 'bad', why: 'too-large' });
});

test('more than 64 KiB is refused as soon as that is known, never read as "no name"', () => {
  const filler = [1, 2].map((type) => extension(type + 100, Buffer.alloc(32_700)));
  const message = helloMessage([...filler, serverNames([0, 'deny.test'])]);
  expect(message.length).toBeGreaterThan(MAX_HELLO - 200);
  const oversized = Buffer.from(message);
  oversized.writeUIntBE(MAX_HELLO - 3, 1, 3);
  expect(read(framed(oversized))).toEqual({ kind: 'bad', why: 'too-large' });
  expect(read(framed(oversized).subarray(0, 9))).toEqual({ kind: 'bad', why: 'too-large' });
});

const good = serverNames([0, 'ok.test']);
const deny = serverNames([0, 'deny.test']);

test.each([
  ['no extension block', helloMessage(null), named(null)],
  ['an empty extension block', helloMessage([]), named(null)],
  ['no name among others', helloMessage([alpn('h2')]), named(null, 'h2')],
  ['the name last', helloMessage([alpn('h2'), extension(0x4469, Buffer.alloc(200)), good]), named('ok.test', 'h2')],
  [
    'an encrypted one inside',
    helloMessage([extension(0xfe0d, Buffer.alloc(200)), good]),
    { ...named('ok.test'), ech: true },
  ],
  [
    'an encrypted one inside, and no name',
    helloMessage([extension(0xfe0d, Buffer.alloc(0))]),
    { ...named(null), ech: true },
  ],
  ['hostile characters', helloMessage([serverNames([0, 'a\r\nX: <b>'])]), named('a\r\nX: <b>')],
  ['an empty list of protocols', helloMessage([good, alpn()]), named('ok.test')],
  [
    'TLS 1.3 and no way to resume',
    helloMessage([good, extension(43, Buffer.from('020304', 'hex'))]),
    { ...named('ok.test'), resumable: false },
  ],
  [
    'TLS 1.3 and a way to resume',
    helloMessage([extension(45, Buffer.from('0101', 'hex')), good, extension(43, Buffer.from('020304', 'hex'))]),
    named('ok.test'),
  ],
])('hello with %s', (_, message, expected) => {
  expect(read(framed(message))).toEqual(expected);
});

test('an encrypted hello is noticed by the type of its extension alone, wherever that stands and however it is cut', () => {
  const another = fc.tuple(
    fc.integer({ min: 0, max: 0xffff }).filter((type) => ![0, 16, 43, 0xfe0d].includes(type)),
    // Bodies that contain the type are no such extension.
    fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constant(Uint8Array.of(0xfe, 0x0d, 0, 2, 0xfe, 0x0d))),
  );
  const ech = fc.tuple(fc.constant(0xfe0d), fc.uint8Array({ maxLength: 500 }));
  fc.assert(
    fc.property(
      fc.array(another, { maxLength: 8 }),
      fc.option(ech),
      fc.nat(8),
      fc.integer({ min: 1, max: 700 }),
      (others, encrypted, at, size) => {
        const all = encrypted === null ? others : others.toSpliced(at, 0, encrypted);
        const message = helloMessage([...all.map(([type, body]) => extension(type, Buffer.from(body))), good]);
        expect(read(framed(message, size), size)).toEqual({ ...named('ok.test'), ech: encrypted !== null });
      },
    ),
  );
});

const truncated = helloMessage([good]);
truncated.writeUIntBE(truncated.length - 8, 1, 3);
const server = Buffer.from(helloMessage([good]));
server[0] = 2;

test.each([
  ['two server_name extensions', helloMessage([good, deny])],
  ['the same twice', helloMessage([good, good])],
  ['two names', helloMessage([serverNames([0, 'ok.test'], [0, 'deny.test'])])],
  ['a name of type 1', helloMessage([serverNames([1, 'ok.test'])])],
  ['a name of type 1 before one of type 0', helloMessage([serverNames([1, 'ok.test'], [0, 'deny.test'])])],
  ['an empty name', helloMessage([serverNames([0, ''])])],
  ['an empty list of names', helloMessage([serverNames()])],
  ['an empty server_name', helloMessage([extension(0, Buffer.alloc(0))])],
  ['bytes behind the list of names', helloMessage([extension(0, Buffer.concat([good.subarray(4), Buffer.from([0])]))])],
  ['a list longer than its extension', helloMessage([extension(0, Buffer.from([0, 9, 0, 0, 7, 1, 2]))])],
  ['a protocol longer than its list', helloMessage([good, extension(16, Buffer.from([0, 2, 5, 1]))])],
  ['an extension longer than the block', helloMessage([good, Buffer.from([0, 16, 0, 9, 1])])],
  ['half an extension head', helloMessage([good, Buffer.from([0, 16, 0])])],
  ['a length that cuts it', truncated],
  ['the type of a ServerHello', server],
  ['nothing in it', Buffer.from([1, 0, 0, 0])],
])('hello with %s is malformed', (_, message) => {
  expect(read(framed(message))).toEqual({ kind: 'bad', why: 'malformed-tls' });
  expect(read(framed(message, 1), 1)).toEqual({ kind: 'bad', why: 'malformed-tls' });
});

test.each([
  ['SSH', 'SSH-2.0-OpenSSH_9'],
  ['HTTP', 'GET / HTTP/1.1\r\n'],
  ['SOCKS 5', '\x05\x01\x00'],
  ['zeros', '\0'.repeat(100)],
  ['SSLv2', '\x80\x2e\x01\x03\x00'],
  ['a length of 278 in four bytes, and a number', '\x16\x01\x00\x00\x05\x00'],
])('%s is not TLS, by its first bytes', (_, text) => {
  expect(read(Buffer.from(text, 'latin1'))).toEqual({ kind: 'bad', why: 'not-tls' });
  expect(read(Buffer.from(text, 'latin1'), 1)).toEqual({ kind: 'bad', why: 'not-tls' });
});

test.each([
  ['change_cipher_spec first', '\x14\x03\x01\x00\x01\x01'],
  ['alert first', '\x15\x03\x01\x00\x02\x01\x00'],
  ['application data first', '\x17\x03\x03\x00\x02\x01\x00'],
  ['heartbeat first', '\x18\x03\x01\x00\x03\x01\x00\x00'],
  ['an alert of another version first', '\x15\x04\x01\x00\x02\x01\x5a'],
  ['a hello in a record of version 4.1', '\x16\x04\x01\x00\x05\x01\x00'],
  ['a hello in a record of version 0.1', '\x16\x00\x01\x00\x05\x01\x00'],
  ['a hello in a record of DTLS', '\x16\xfe\xfd\x00\x05\x01\x00'],
  ['a record of another version with nothing in it', '\x16\x04\x01\x00\x00'],
])('%s hides the hello behind it', (_, text) => {
  expect(read(Buffer.from(text, 'latin1'))).toEqual({ kind: 'bad', why: 'malformed-tls' });
  expect(read(Buffer.from(text, 'latin1'), 1)).toEqual({ kind: 'bad', why: 'malformed-tls' });
});

test.each([
  ['a record of another type in the middle', Buffer.from([21, 3, 1, 0, 2, 1, 0])],
  ['a record too long', Buffer.from([22, 3, 1, 0xff, 0xff])],
  ['a record of another version', Buffer.from([22, 2, 1, 0, 1])],
])('%s is malformed', (_, next) => {
  const begun = framed(helloMessage([good])).subarray(0, 5 + 40);
  begun.writeUInt16BE(40, 3);
  for (const step of [1, 50]) {
    expect(read(Buffer.concat([begun, next]), step)).toEqual({ kind: 'bad', why: 'malformed-tls' });
  }
});

test('mutations never throw, and no beginning of a hello with a name is a hello without one', () => {
  const hellos = clients.map((client) => helloOf(client)).filter(({ expected }) => 'serverName' in expected);
  const withName = hellos.filter(({ expected }) => 'serverName' in expected && expected.serverName !== null);
  fc.assert(
    fc.property(
      fc.constantFrom(...withName),
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.integer({ min: 1, max: 3_000 }),
      ({ bytes }, cut, mutations, step) => {
        expect(read(bytes.subarray(0, cut % bytes.length), step).kind).toBe('more');
        const mutated = Buffer.from(bytes);
        for (const [at, value] of mutations) mutated[at % mutated.length] = value;
        const result = read(mutated, step);
        expect(read(mutated)).toEqual(result);
        expect(['hello', 'more', 'bad']).toContain(result.kind);
      },
    ),
    { numRuns: 5_000 },
  );
});
