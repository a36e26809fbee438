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
