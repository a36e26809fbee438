import { createServer } from 'node:http';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_HEAD, readConnectHead } from '../../src/listen/connect-head.ts';
import { parseAuthority } from '../../src/listen/target.ts';

const read = (text: string): ReturnType<typeof readConnectHead> => readConnectHead(Buffer.from(text, 'latin1'));

function verdict(text: string): string {
  const result = read(text);
  return result.kind === 'bad' ? result.code : result.kind;
}

test.each([
  ['CONNECT ok.test:443 HTTP/1.1\r\n\r\n', 'ok.test:443', ''],
  ['CONNECT ok.test:443 HTTP/1.0\r\n\r\n', 'ok.test:443', ''],
  ['CONNECT ok.test:443 HTTP/1.1\r\nHost: other.test\r\n\r\n', 'ok.test:443', ''],
  ['CONNECT ok.test:443 HTTP/1.1\r\nHost:\r\nUser-Agent: curl/8\r\n\r\n', 'ok.test:443', 'curl/8'],
  ['CONNECT ok.test:443 HTTP/1.1\r\nuSER-aGENT:\t a b \r\n\r\n', 'ok.test:443', 'a b'],
  ['CONNECT [::1]:443 HTTP/1.1\r\nUser-Agent: \xe4\r\n\r\n', '[::1]:443', '\xe4'],
  ['CONNECT ok.test:443 HTTP/1.0\r\nUser-Agent: a\r\nContent-Length: 0\r\n\r\n', 'ok.test:443', 'a'],
  ["CONNECT ok.test:443 HTTP/1.1\r\n!#$%&'*+.^_`|~9: x\r\nX: a:b\r\nY:\r\n\r\n", 'ok.test:443', ''],
])('good head %j', (text, authority, userAgent) => {
  const behind = '\x16\x03\x01\r\n\r\n';
  expect(read(text + behind)).toEqual({ kind: 'head', head: { authority, userAgent, length: text.length } });
});

const line = 'CONNECT ok.test:443 HTTP/1.1';
const field = (text: string): string => `${line}\r\nHost: ok.test:443\r\n${text}\r\n\r\n`;

test.each([
  ['CONNECT  ok.test:443 HTTP/1.1\r\n\r\n', 'malformed_request'],
  ['CONNECT ok.test:443  HTTP/1.1\r\n\r\n', 'malformed_request'],
  ['CONNECT\tok.test:443\tHTTP/1.1\r\n\r\n', 'malformed_request'],
  ['CONNECT ok.test:443 HTTP/1.1 \r\n\r\n', 'malformed_request'],
  ['CONNECT ok.test:443 http/1.1\r\n\r\n', 'malformed_request'],
  ['connect ok.test:443 HTTP/1.1\r\n\r\n', 'malformed_request'],
  ['CONNECT ok.test:443\r\n\r\n', 'malformed_request'],
  ['CONNECT \r\n\r\n', 'malformed_request'],
  ['CONNECT ok.test :443 HTTP/1.1\r\n\r\n', 'malformed_request'],
  ['CONNECT ok\0.test:443 HTTP/1.1\r\n\r\n', 'malformed_request'],
  ['CONNECT b\xfccher.test:443 HTTP/1.1\r\n\r\n', 'malformed_request'],
  ['CONNECT ok.test:443 HTTP/2.0\r\n\r\n', 'version_not_supported'],
  ['CONNECT ok.test:443 HTTP/0.9\r\n\r\n', 'version_not_supported'],
  ['CONNECT ok.test:443 HTTP/1.2\r\n\r\n', 'malformed_request'],
  ['CONNECT ok.test:443 HTTP/11\r\n\r\n', 'malformed_request'],
  [field(' folded'), 'malformed_request'],
  [field('X: a\r\n b'), 'malformed_request'],
  [field('X : a'), 'malformed_request'],
  [field('X\t: a'), 'malformed_request'],
  [field('X\xa0: a'), 'malformed_request'],
  [field(': a'), 'malformed_request'],
  [field('no colon'), 'malformed_request'],
  [field('X: a\nY: b'), 'malformed_request'],
  [field('X: a\rY: b'), 'malformed_request'],
  [field('X: a\r\n\rY: b'), 'malformed_request'],
  [field('X: \0'), 'malformed_request'],
  [field('X: \x1b[0m'), 'malformed_request'],
  [field('X: \x7f'), 'malformed_request'],
  [field('Host: ok.test:443'), 'malformed_request'],
  [field('Content-Length: 5'), 'malformed_request'],
  [field('Content-Length: 00'), 'malformed_request'],
  [field('Content-Length: 0\r\nContent-Length: 0'), 'malformed_request'],
  [field('Content-Length:'), 'malformed_request'],
  [field('Transfer-Encoding: chunked'), 'malformed_request'],
  [`${line}\n\n`, 'malformed_request'],
  [`${line}\nHost: ok.test:443\n\n`, 'malformed_request'],
  [`${line}\r\nHost: ok.test:443\n\n`, 'malformed_request'],
  [field(`X: ${'a'.repeat(MAX_HEAD)}`), 'header_too_large'],
  [field(Array.from({ length: 200 }, (_, i) => `X${i}: a`).join('\r\n')), 'header_too_large'],
  [`CONNECT ${'a'.repeat(MAX_HEAD)}`, 'header_too_large'],
])('bad head %j is %s', (text, code) => {
  expect(verdict(text)).toBe(code);
});

test('every beginning of a good head asks for more', () => {
  const whole = field('User-Agent: x');
  for (let cut = 8; cut < whole.length; cut += 1) expect(verdict(whole.slice(0, cut))).toBe('more');
  expect(verdict(whole)).toBe('head');
});

test('a line of spaces is read in one go, whatever it ends in', () => {
  const head = field(`X:${' '.repeat(MAX_HEAD - 200)}\0`);
  const started = performance.now();
  for (let i = 0; i < 50; i += 1) expect(verdict(head)).toBe('malformed_request');
  // A hundredth of a second; with two ways to read a space it was more than five.
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('a head of just the limit is read, and one byte more is not waited for', () => {
  const filler = MAX_HEAD - field('X: ').length + 4;
  expect(verdict(field(`X: ${'a'.repeat(filler)}`))).toBe('head');
  expect(verdict(field(`X: ${'a'.repeat(filler + 1)}`))).toBe('header_too_large');
});

/** Whether the parser of node:http, as the proxy port sets it, takes these bytes for a CONNECT. */
function nodeAccepts(bytes: Buffer): Promise<boolean> {
  const server = createServer({ maxHeaderSize: MAX_HEAD, requireHostHeader: false });
  const stream = new PassThrough();
  return new Promise((resolve) => {
    server.on('connect', () => resolve(true));
    server.on('request', () => resolve(false));
    server.on('clientError', () => resolve(false));
    server.emit('connection', stream);
    // A head that is not whole yet gives no event at all.
    stream.write(bytes, () => setImmediate(() => resolve(false)));
  });
}

const pieces = fc.constantFrom(
  ...[
    'CONNECT ',
    'ok.test:443',
    ' HTTP/1.1',
    '\r\n',
    '\r\n',
    '\n',
    '\r',
    ': ',
    ':',
    'X',
    'Host',
    'User-Agent',
    ' ',
    '\t',
  ],
  ...['\0', '\x7f', '\xff', 'Content-Length: 1', 'HTTP/1.0', 'HTTP/1.2', '@', '/', '*', '"', '(', '\x0b', '[::1]:1'],
);
const heads = fc.oneof(
  fc.array(pieces, { maxLength: 20 }).map((parts) => `CONNECT ${parts.join('')}\r\n\r\n`),
  fc.array(pieces, { maxLength: 12 }).map((parts) => `${line}\r\n${parts.join('')}\r\n\r\n`),
  fc.tuple(fc.nat(60), pieces).map(([at, piece]) => {
    const good = field('User-Agent: curl/8');
    return good.slice(0, 8 + at) + piece + good.slice(8 + at);
  }),
);

/** The head leaves the authority to the one parser of targets: only both together take a CONNECT. */
function isAuthority(text: string): boolean {
  try {
    parseAuthority(text);
    return true;
  } catch {
    return false;
  }
}

test('never throws, and never takes what the parser of Node refuses', async () => {
  await fc.assert(
    fc.asyncProperty(heads, async (text) => {
      const bytes = Buffer.from(text, 'latin1');
      const ours = readConnectHead(bytes);
      if (ours.kind !== 'head' || !isAuthority(ours.head.authority)) return;
      expect(await nodeAccepts(bytes.subarray(0, ours.head.length))).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test('never throws on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      readConnectHead(Buffer.concat([Buffer.from('CONNECT '), bytes]));
      readConnectHead(Buffer.concat([Buffer.from(`${line}\r\n`), bytes, Buffer.from('\r\n\r\n')]));
    }),
    { numRuns: 5_000 },
  );
});
