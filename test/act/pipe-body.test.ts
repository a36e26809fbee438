import { connect } from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pipeBody } from '../../src/act/pipe-body.ts';
import { startOnward } from '../support/onward.ts';
import { connectRaw, eventually, exchange, httpOrigin } from '../support/streams.ts';
import { askHttp2, askOver, http2Over, tlsOver } from '../support/tunnels.ts';
import { startWired } from '../support/wiring.ts';

const SIZE = 700_000;

/** Bytes that are others at each place and for each number. */
function bodyOf(number: number): Buffer {
  const body = Buffer.alloc(SIZE);
  for (let at = 0; at + 8 <= SIZE; at += 8) body.write(`${(number * SIZE + at).toString(36)}       `.slice(0, 8), at);
  return body;
}

test('no more is read than is written, and all of it arrives', async () => {
  const chunks = Array.from({ length: 40 }, (_, i) => Buffer.alloc(20_000, String.fromCharCode(65 + i)));
  const expected = Buffer.concat(chunks).toString('latin1');
  const from = Readable.from(chunks, { highWaterMark: 1 });
  let waiting = 0;
  let most = 0;
  let text = '';
  const to = new Writable({
    highWaterMark: 40_000,
    write(chunk: Buffer, _coding, done) {
      most = Math.max(most, to.writableLength);
      waiting += 1;
      setImmediate(() => {
        text += chunk.toString('latin1');
        waiting -= 1;
        done();
      });
    },
  });
  pipeBody(from, to);
  await eventually('the last byte', () => text.length === expected.length && waiting === 0);
  expect(text).toBe(expected);
  expect(most).toBeLessThanOrEqual(60_000);
});

test('what takes no more is given no more, and the source waits for whoever comes next', async () => {
  const from = new PassThrough();
  const to = new PassThrough();
  pipeBody(from, to);
  from.write('a');
  await eventually('the first', () => to.readableLength === 1);
  to.destroy();
  await eventually('the end', () => to.closed && from.isPaused());
  from.write('b');
  expect(from.listenerCount('data')).toBe(0);
  expect(String(from.read())).toBe('b');
});

/** A sink that takes note of each write by itself. */
function noting(): { readonly to: Writable; readonly written: string[] } {
  const written: string[] = [];
  const to = new Writable({
    write(chunk: Buffer, _coding, done) {
      written.push(chunk.toString('latin1'));
      done();
    },
  });
  return { to, written };
}

test('the first chunk is written at once, small ones behind it together, and large ones by themselves, in order', async () => {
  const from = new PassThrough({ highWaterMark: 1024 * 1024 });
  const { to, written } = noting();
  pipeBody(from, to);
  await eventually('flowing', () => from.readableFlowing === true);
  const large = 'L'.repeat(20_000);
  for (const text of ['a', 'b', 'c', large, 'd', 'e']) from.emit('data', Buffer.from(text));
  expect(written).toEqual(['a', 'bc', large]);
  await eventually('the rest', () => written.length === 4);
  expect(written[3]).toBe('de');
});

test('small chunks are never more than a read in one write', async () => {
  const from = new PassThrough();
  const { to, written } = noting();
  pipeBody(from, to);
  for (let i = 0; i < 201; i++) from.emit('data', Buffer.alloc(1000, 'x'));
  await eventually('all', () => written.join('').length === 201_000);
  expect(written.map((text) => text.length)).toEqual([1000, 66_000, 66_000, 66_000, 2000]);
});

test('what waits when the body ends is written before its end is seen', async () => {
  const from = new PassThrough();
  const { to, written } = noting();
  const seen: string[] = [];
  from.on('end', () => seen.push(written.join('')));
  pipeBody(from, to);
  for (const text of ['a', 'b', 'c']) from.write(text);
  from.end('d');
  await eventually('the end', () => seen.length === 1);
  expect(seen).toEqual(['abcd']);
});

test('what waits for a sink that closes is dropped', async () => {
  const from = new PassThrough();
  const { to, written } = noting();
  const errors: unknown[] = [];
  to.on('error', (error) => errors.push(error));
  pipeBody(from, to);
  for (const text of ['a', 'b']) from.emit('data', Buffer.from(text));
  to.destroy();
  to.emit('close');
  await new Promise((resolve) => setImmediate(resolve));
  expect([written, errors]).toEqual([['a'], []]);
});

test('a request in chunks of one byte reaches its origin whole, with what surrounds them gone', async () => {
  const origin = await httpOrigin((req, res) => {
    let body = '';
    req.on('data', (chunk: Buffer) => (body += chunk.toString()));
    req.on('end', () => res.end(`${body.length} ${new Set(body).size} ${String(req.trailers['x-end'])}`));
  });
  const { port } = await startWired();
  const host = `ok.test:${origin.port}`;
  const head = `POST http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n`;
  const body = `${'1\r\nx\r\n'.repeat(30_000)}0\r\nX-End: yes\r\n\r\n`;
  expect(await exchange(port, `${head}Connection: close\r\n\r\n${body}`)).toContain('30000 1 yes');
});

test('large bodies pass in both directions at once, whatever pace their clients keep', async () => {
  const origin = await httpOrigin((req, res) => void req.pipe(res));
  const { port } = await startWired();
  await Promise.all(
    Array.from({ length: 9 }, async (_, number) => {
      const body = bodyOf(number);
      const framing = number % 2 === 0 ? `Content-Length: ${SIZE}` : 'Transfer-Encoding: chunked';
      const head = `POST http://ok.test:${origin.port}/ HTTP/1.1\r\nHost: ok.test:${origin.port}\r\nConnection: close\r\n${framing}\r\n\r\n`;
      const client = await connectRaw(port, head);
      if (number % 3 === 0)
        client.socket.on('data', () => {
          client.socket.pause();
          setImmediate(() => client.socket.resume());
        });
      if (number % 2 === 0) client.write(body);
      else {
        for (let at = 0; at < SIZE; at += 100_000) {
          const part = body.subarray(at, at + 100_000);
          client.write(`${part.length.toString(16)}\r\n`);
          client.write(part);
          client.write('\r\n');
        }
        client.write('0\r\n\r\n');
      }
      const { text } = await client.ended;
      // The origin answers in chunks, whose sizes are its own.
      let at = text.indexOf('\r\n\r\n') + 4;
      let answered = '';
      for (;;) {
        const end = text.indexOf('\r\n', at);
        const size = Number.parseInt(text.slice(at, end), 16);
        if (!(size > 0)) break;
        answered += text.slice(end + 2, end + 2 + size);
        at = end + 2 + size + 2;
      }
      expect(answered === body.toString('latin1')).toBe(true);
    }),
  );
});

describe.each([1, 2] as const)('inside TLS, by HTTP/%i', (version) => {
  test('large bodies pass in both directions', async () => {
    const onward = await startOnward((req, res) => void req.pipe(res));
    const host = `look.test:${onward.origin.port}`;
    await Promise.all(
      Array.from({ length: 5 }, async (_, number) => {
        const body = bodyOf(number).toString('latin1');
        const socket = connect({ port: onward.port, host: '127.0.0.1' });
        onTestFinished(() => void socket.destroy());
        if (version === 1) {
          const tls = await tlsOver(socket, { ca: onward.ca, servername: 'look.test' });
          const asking = { method: 'POST', headers: { host, 'content-length': `${SIZE}` }, body };
          expect((await askOver(tls, asking)).body === body).toBe(true);
          return;
        }
        const session = await http2Over(socket, onward.ca, 'look.test');
        const head = { ':method': 'POST', ':path': '/', ':authority': host };
        expect((await askHttp2(session, head, body)).body === body).toBe(true);
      }),
    );
  });
});
