/**
 * Two readers of the same bytes: who judges must not read them otherwise than who acts on them. FUZZ_SEED repeats a
 * run.
 */
import { createServer as createHttp, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { createServer as createTls } from 'node:tls';
import { expect, onTestFinished } from 'vitest';
import { createClientHelloReader } from '../../src/listen/client-hello.ts';
import { readConnectHead } from '../../src/listen/connect-head.ts';
import { serverNameOf } from '../../src/listen/hello.ts';
import { createHelloWatch } from '../../src/listen/second-hello.ts';
import { parseAuthority } from '../../src/listen/target.ts';
import { readWholeRequest } from '../../src/listen/whole-request.ts';
import { extension, framed, helloOfNode, messageOf, serverNames } from '../support/hellos.ts';
import { certificateOfTest } from '../support/origins.ts';
import { connectHead } from '../support/tunnels.ts';
import { attack, openField } from './field.ts';
import { mutate, randomFrom, type Random } from './mutate.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const field = openField();

/** What a server is handed in place of a connection; it takes the answers and forgets them. */
class Said extends Duplex {
  constructor(bytes: Buffer) {
    super({ write: (_chunk, _encoding, done) => done(), read: () => undefined });
    this.on('error', () => undefined).push(bytes);
  }
  setTimeout(): this {
    return this;
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise(setImmediate);
}

function pick<T>(some: readonly [T, ...T[]], random: Random): T {
  return some[Math.floor(random() * some.length)] ?? some[0];
}

/** Whether a CONNECT would be let through as far as its head goes, and its target. */
function ourTarget(bytes: Buffer): string | null {
  const read = readConnectHead(bytes);
  if (read.kind !== 'head') return null;
  try {
    parseAuthority(read.head.authority);
    return read.head.authority;
  } catch {
    return null;
  }
}

attack(
  field,
  175,
  'CONNECT heads with faults by chance, read by the proxy and by the parser of Node.js, which reads all other requests',
  'whatever the proxy takes the parser takes too: the same target, one Host, no content',
  async () => {
    const random = randomFrom(SEED);
    const asked: IncomingMessage[] = [];
    const server = createHttp({ requireHostHeader: false });
    server.on('connect', (req, socket) => {
      asked.push(req);
      socket.destroy();
    });
    server.on('clientError', (_error, socket) => socket.destroy());
    let taken = 0;
    for (let i = 0; i < 5_000; i += 1) {
      const bytes = mutate(Buffer.from(connectHead('ok.test:443', 'User-Agent: a b\r\nVia: 1.1 c\r\n')), random);
      const target = bytes.toString('latin1').startsWith('CONNECT ') ? ourTarget(bytes) : null;
      if (target === null) continue;
      const said = new Said(bytes);
      server.emit('connection', said);
      await turns(2);
      said.destroy();
      const req = asked.shift();
      const fields = (req?.rawHeaders ?? []).filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
      const context = `seed ${SEED}: ${JSON.stringify(bytes.toString('latin1'))}`;
      expect(req?.url, context).toBe(target);
      expect(fields.filter((name) => name === 'host').length, context).toBeLessThan(2);
      expect(
        fields.filter((name) => /^(?:content-length|transfer-encoding)$/.test(name)),
        context,
      ).toEqual([]);
      taken += 1;
    }
    expect(taken).toBeGreaterThan(300);
  },
);

const browsing =
  'POST /v1/a?b=c HTTP/1.1\r\nHost: deny.test\r\nAccept: text/html, */*\r\nContent-Length: 4\r\nCookie: d=e\r\n\r\nbody';

attack(
  field,
  194,
  'Requests inside the TLS of a denied host with faults by chance, read by the proxy and by the parser of Node.js',
  'what the proxy reads by itself the parser reads alike, to the last byte: method, target, fields, and nothing behind',
  async () => {
    const random = randomFrom(SEED);
    const asked: IncomingMessage[] = [];
    let [contents, faults] = ['', 0];
    const server = createHttp({ requireHostHeader: false });
    server.on('request', (req) => {
      asked.push(req);
      req.setEncoding('latin1').on('data', (text: string) => (contents += text));
    });
    server.on('upgrade', () => (faults += 1));
    server.on('checkContinue', () => (faults += 1));
    server.on('clientError', () => (faults += 1));
    let taken = 0;
    for (let i = 0; i < 20_000; i += 1) {
      const bytes = mutate(Buffer.from(browsing), random);
      const ours = readWholeRequest(bytes);
      if (ours === null) continue;
      [contents, faults] = ['', 0];
      const said = new Said(bytes);
      server.emit('connection', said);
      await turns(3);
      said.destroy();
      const context = `seed ${SEED}: ${JSON.stringify(bytes.toString('latin1'))}`;
      const requests = asked.splice(0);
      expect([requests.length, faults], context).toEqual([1, 0]);
      const { method, url, httpVersion, headers, rawHeaders } = requests[0] ?? {};
      expect({ method, url, httpVersion, headers, rawHeaders }, context).toEqual(ours);
      expect(contents, context).toBe(bytes.toString('latin1', bytes.length - contents.length));
      expect(contents.length, context).toBe(Number(ours.headers['content-length'] ?? 0));
      taken += 1;
    }
    expect(taken).toBeGreaterThan(400);
  },
);

/** The extensions of a hello message, and what stands before them. */
function apart(message: Buffer): { readonly before: Buffer; readonly extensions: Buffer[] } {
  let at = 38;
  at += 1 + message.readUInt8(at);
  at += 2 + message.readUInt16BE(at);
  at += 1 + message.readUInt8(at);
  const extensions: Buffer[] = [];
  for (let next = at + 2; next + 4 <= message.length; next += 4 + message.readUInt16BE(next + 2))
    extensions.push(message.subarray(next, next + 4 + message.readUInt16BE(next + 2)));
  return { before: message.subarray(0, at), extensions };
}

const oddNames: readonly [Buffer, ...Buffer[]] = [
  serverNames([0, 'deny.test']),
  serverNames([0, 'ok.test']),
  serverNames([1, 'deny.test']),
  serverNames([0, 'ok.test'], [0, 'deny.test']),
  serverNames([0, 'deny.test'], [1, 'x']),
  serverNames([0, 'deny.test\0']),
  extension(0, Buffer.alloc(0)),
  extension(0, Buffer.from([0, 0])),
  extension(0, Buffer.from('\0\x0d\0\0\x09deny.test', 'latin1')),
  extension(0, Buffer.from('\0\x0c\0\0\x09deny.test\x09', 'latin1')),
];

/** One more extension, another in the place of one, or the message changed by chance; in records of any size. */
function changed(message: Buffer, random: Random): Buffer {
  const parts: Buffer[] = [];
  if (random() < 0.5) {
    const { before, extensions } = apart(message);
    extensions.splice(Math.floor(random() * extensions.length), random() < 0.5 ? 1 : 0, pick(oddNames, random));
    const all = Buffer.concat(extensions);
    const length = Buffer.from([all.length >> 8, all.length & 255]);
    parts.push(before, length, all);
  } else parts.push(message);
  const whole = Buffer.concat(parts);
  for (let i = 0; i < 3; i += 1)
    if (random() < 0.3) whole[Math.floor(random() * whole.length)] = Math.floor(random() * 256);
  if (random() < 0.9) whole.writeUIntBE(whole.length - 4, 1, 3);
  return framed(whole, pick([16_384, 90, 7, 1], random));
}

/** The name that a hello is judged by; null where it names none, undefined where it is not let through at all. */
function ourName(bytes: Buffer): string | null | undefined {
  const read = createClientHelloReader().push(bytes);
  if (read.kind !== 'hello') return undefined;
  const target = read.serverName === null ? null : serverNameOf(read.serverName, 443);
  if (target === null && read.serverName !== null) return undefined;
  return createHelloWatch(target).fromClient(bytes) === null ? undefined : (target?.host ?? null);
}

attack(
  field,
  176,
  'ClientHellos with faults by chance, and with names of every wrong kind, read by the proxy and by OpenSSL',
  'of what the proxy lets through OpenSSL takes the same server name, or nothing',
  async () => {
    const random = randomFrom(SEED);
    const { key, cert } = certificateOfTest('ok.test');
    const asked: string[] = [];
    const server = createTls({
      key,
      cert,
      SNICallback(name, answer) {
        asked.push(name);
        answer(new Error('heard enough'));
      },
    });
    server.on('tlsClientError', () => undefined);
    onTestFinished(() => void server.close());
    const messages = await Promise.all(
      (['TLSv1.2', 'TLSv1.3'] as const).map(async (maxVersion) =>
        messageOf(await helloOfNode({ servername: 'ok.test', maxVersion, ALPNProtocols: ['h2', 'http/1.1'] })),
      ),
    );
    let named = 0;
    for (let i = 0; i < 800; i += 1) {
      const bytes = changed(messages[i % 2] ?? Buffer.alloc(0), random);
      const ours = ourName(bytes);
      if (ours === undefined) continue;
      const said = new Said(bytes);
      server.emit('connection', said);
      await turns(3);
      said.destroy();
      const name = asked.shift();
      if (name === undefined) continue;
      expect(serverNameOf(name, 443)?.host, `seed ${SEED}: ${bytes.toString('hex')}`).toBe(ours);
      named += 1;
    }
    expect(named).toBeGreaterThan(100);
  },
);
