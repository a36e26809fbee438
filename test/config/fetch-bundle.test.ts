/** Fetching over real HTTP and HTTPS from servers that behave, and from servers that do not. */
import { once } from 'node:events';
import { createServer as createPlain } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { fetchText } from '../../src/config/fetch-bundle.ts';
import { shownUrl } from '../../src/config/fetch.ts';
import type { Fetched } from '../../src/config/fetch-bundle.ts';
import { makeCertificate } from '../support/certificate.ts';
import type { TestCertificate } from '../support/certificate.ts';

let certificate: TestCertificate;
beforeAll(() => {
  certificate = makeCertificate('localhost');
});
afterAll(() => certificate.remove());

async function serve(listener: RequestListener, tls = true): Promise<string> {
  const server = tls ? createTls({ key: certificate.key, cert: certificate.cert }, listener) : createPlain(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `${tls ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}/catalogue.json`;
}

const from = (url: string, more: { etag?: string; timeout?: number; maxBytes?: number } = {}): Promise<Fetched> =>
  fetchText({ url, etag: null, ca: certificate.cert, ...more });

test('the text and its entity tag', async () => {
  let asked: IncomingMessage['headers'] = {};
  const url = await serve((req, res) => {
    asked = req.headers;
    res.setHeader('ETag', '"one"').end('hällo');
  });
  expect(await from(url)).toEqual({ kind: 'text', text: 'hällo', etag: '"one"' });
  expect(asked).not.toHaveProperty('if-none-match');
  expect(asked).toMatchObject({ 'accept-encoding': 'gzip' });
});

test('304 to the tag of what is there already', async () => {
  const url = await serve((req, res) => {
    res.statusCode = req.headers['if-none-match'] === '"one"' ? 304 : 200;
    res.end();
  });
  expect(await from(url, { etag: '"one"' })).toEqual({ kind: 'unchanged' });
});

test('304 to nothing is an error', async () => {
  const url = await serve((_, res) => void res.writeHead(304).end());
  await expect(from(url)).rejects.toThrow('the server answered with status 304');
});

test('what is packed is unpacked', async () => {
  const url = await serve((_, res) => void res.setHeader('Content-Encoding', 'gzip').end(gzipSync('packed')));
  expect(await from(url)).toMatchObject({ text: 'packed' });
});

test('a redirect is followed, and loops are not', async () => {
  const url = await serve((req, res) => {
    if (req.url === '/there') res.end('there');
    else res.writeHead(302, { Location: req.url === '/loop' ? '/loop' : '/there' }).end();
  });
  expect(await from(url)).toMatchObject({ text: 'there' });
  await expect(from(new URL('/loop', url).href)).rejects.toThrow('it redirects more than 3 times');
});

test('nobody is led from TLS into the clear, nor away from HTTP', async () => {
  const clear = await serve((_, res) => void res.end('clear'), false);
  const url = await serve((req, res) => {
    res.writeHead(302, { Location: req.url === '/file' ? 'file:///etc/passwd' : clear }).end();
  });
  await expect(from(url)).rejects.toThrow('it redirects to a URL that may not be followed');
  await expect(from(new URL('/file', url).href)).rejects.toThrow('it redirects to a URL that may not be followed');
  expect(await from(clear)).toMatchObject({ text: 'clear' });
});

/** Writes for as long as anybody reads. */
function endless(res: ServerResponse): void {
  const part = Buffer.alloc(64 * 1024, 'x');
  const more = (): void => {
    while (!res.destroyed && res.write(part));
    if (!res.destroyed) res.once('drain', more);
  };
  more();
}

describe('what goes wrong ends with a line that says so', () => {
  const cases: readonly (readonly [string, RequestListener, RegExp])[] = [
    ['a body without an end', (_, res) => endless(res), /^it is larger than 1000000 bytes$/],
    [
      'a body that unpacks without an end',
      (_, res) => void res.setHeader('Content-Encoding', 'gzip').end(gzipSync(Buffer.alloc(4_000_000))),
      /^it is larger than 1000000 bytes$/,
    ],
    [
      'a body cut short',
      (_, res) => {
        res.writeHead(200, { 'Content-Length': 100 }).write('abc');
        setImmediate(() => res.destroy());
      },
      /aborted|socket hang up|Premature close/,
    ],
    [
      'a packed body cut short',
      (_, res) => void res.setHeader('Content-Encoding', 'gzip').end(gzipSync('x'.repeat(999)).subarray(0, 12)),
      /unexpected end of file/,
    ],
    ['an error', (_, res) => void res.writeHead(500).end('oops'), /^the server answered with status 500$/],
    ['nothing', (req) => void req.socket.destroy(), /socket hang up|ECONNRESET/],
    ['silence', () => undefined, /^it did not end within 0\.3 s$/],
    ['no UTF-8', (_, res) => void res.end(Buffer.from([0xff, 0xfe, 0x00])), /^it is not UTF-8$/],
    ['another packing', (_, res) => void res.setHeader('Content-Encoding', 'br').end('x'), /encoded as "br"/],
  ];
  test.each(cases)('%s', async (name, listener, message) => {
    const url = await serve(listener);
    const timeout = name === 'silence' ? 300 : 10_000;
    await expect(from(url, { timeout, maxBytes: 1_000_000 })).rejects.toThrow(message);
  });

  test('a certificate from nobody that is trusted', async () => {
    const url = await serve((_, res) => void res.end('x'));
    await expect(fetchText({ url, etag: null, ca: null })).rejects.toThrow(/self-signed|self signed/);
  });
});

test('a URL is shown without its query, which may hold a key', () => {
  expect(shownUrl('https://updates.test/c.json?token=secret')).toBe('https://updates.test/c.json');
});
