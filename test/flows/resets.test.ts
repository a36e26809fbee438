/** Connections that are reset at any moment, by either side: nobody else notices, and nothing is left behind. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { curl } from '../support/curl.ts';
import { helloOfNode } from '../support/hellos.ts';
import { labPolicy } from '../support/lab.ts';
import { labOfTest, recorder } from '../support/origins.ts';
import { openFiles, procIsThere, serve } from '../support/product.ts';
import { eventually, tcpOrigin, type Origin } from '../support/streams.ts';
import { connectHead } from '../support/tunnels.ts';

const MOMENTS = 100;
const AT_ONCE = 8;
/** Milliseconds within which the reset comes; a whole attempt takes a few. */
const WINDOW = 30;

/** Mulberry32: small, and the same everywhere for one seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Writes for as long as it can. */
function pour(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.writable && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

/** An origin that answers the first bytes with an endless chunked answer, and resets when `resetAfter` says so. */
function chatty(resetAfter: () => number | null): Promise<Origin> {
  const chunk = Buffer.from(`4000\r\n${'x'.repeat(0x4000)}\r\n`);
  return tcpOrigin((socket) => {
    const after = resetAfter();
    if (after !== null) void delay(after).then(() => socket.resetAndDestroy());
    socket.on('end', () => socket.destroy());
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      pour(socket, chunk);
    });
    socket.resume();
  });
}

interface Moment {
  readonly proxyPort: number;
  readonly originPort: number;
  readonly hello: Buffer;
  readonly random: () => number;
}

const kinds: readonly ((socket: Socket, moment: Moment) => void)[] = [
  function silent() {
    // says nothing at all
  },
  function halfConnect(socket, { originPort, random }) {
    const head = connectHead(`ok.test:${originPort}`);
    socket.write(head.slice(0, Math.ceil(random() * head.length)));
  },
  function tunnel(socket, { originPort }) {
    socket.write(connectHead(`ok.test:${originPort}`));
    pour(socket, Buffer.alloc(16_384, 'y'));
  },
  function tlsTunnel(socket, { originPort, hello, random }) {
    socket.write(connectHead(`ok.test:${originPort}`));
    socket.write(hello.subarray(0, Math.ceil(random() * 2 * hello.length)));
  },
  function intercepted(socket, { random }) {
    socket.write(connectHead('api.anthropic.com:443'));
    socket.once('data', () => {
      const ALPNProtocols = random() < 0.5 ? ['h2'] : ['http/1.1'];
      const options = { socket, servername: 'api.anthropic.com', rejectUnauthorized: random() < 0.2, ALPNProtocols };
      const tls = connectTls(options);
      tls.on('error', () => undefined).on('close', () => socket.destroy());
      tls.write('POST /v1/messages HTTP/1.1\r\nHost: api.anthropic.com\r\nContent-Length: 100000000\r\n\r\n');
      pour(tls, Buffer.alloc(16_384, 'z'));
      tls.resume();
    });
  },
  function forward(socket, { originPort }) {
    const authority = `ok.test:${originPort}`;
    socket.write(`POST http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: 100000000\r\n\r\n`);
    pour(socket, Buffer.alloc(16_384, 'b'));
  },
  function upgrade(socket, { originPort }) {
    const authority = `ok.test:${originPort}`;
    const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n';
    socket.write(`GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`);
  },
  function denied(socket) {
    socket.write(connectHead('refused.test:443'));
  },
];

/** One attempt of a kind; resolves when the client's connection is gone. `after` null: the origin ends it. */
async function attempt(kind: (typeof kinds)[number], moment: Moment, after: number | null): Promise<void> {
  const socket = connect({ port: moment.proxyPort, host: '127.0.0.1', noDelay: true });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined).on('end', () => socket.destroy());
  kind(socket, moment);
  socket.resume();
  if (after !== null) await delay(after).then(() => socket.resetAndDestroy());
  await closed;
}

const seen = procIsThere('that no file descriptor is left behind after resets');

test(`${MOMENTS} resets at random moments end nothing else and leave nothing behind`, { timeout: 60_000 }, async () => {
  const seed = Number(process.env['SALLYPORT_TEST_SEED'] ?? Date.now() % 2 ** 31);
  console.info(`resets: SALLYPORT_TEST_SEED=${seed}`);
  const random = randomFrom(seed);
  const product = await serve({ settings: { access_log: { path: 'none' } } });
  const { proxyPort } = product;
  const hello = await helloOfNode({ servername: 'ok.test' });
  const steady = await chatty(() => null);
  const fickle = await chatty(() => random() * WINDOW);
  // Only where there is an origin can it be the one that resets.
  const withOrigin = new Set(['tunnel', 'forward']);

  const quiet = async (): Promise<void> => {
    for (const name of ['sallyport_connections_open', 'sallyport_tunnels_open']) {
      await expect.poll(() => product.metric(name), { timeout: 15_000 }).toBe(0);
    }
    await eventually('no connection at the origins', () => steady.open.size + fickle.open.size === 0);
  };

  for (const kind of kinds) await attempt(kind, { proxyPort, originPort: steady.port, hello, random }, WINDOW);
  await quiet();
  const before = seen ? openFiles(product.pid) : 0;

  const moments = Array.from({ length: MOMENTS }, () => {
    const kind = kinds[Math.floor(random() * kinds.length)];
    return kind === undefined ? [] : [{ kind, byOrigin: random() < 0.4, after: random() * WINDOW }];
  }).flat();
  const works = Array.from({ length: AT_ONCE }, async () => {
    for (let next = moments.pop(); next !== undefined; next = moments.pop()) {
      const byOrigin = next.byOrigin && withOrigin.has(next.kind.name);
      const originPort = byOrigin ? fickle.port : steady.port;
      await attempt(next.kind, { proxyPort, originPort, hello, random }, byOrigin ? null : next.after);
    }
  });
  await Promise.all(works);
  await quiet();

  if (seen) await expect.poll(() => openFiles(product.pid), { timeout: 10_000 }).toBeLessThanOrEqual(before);
  expect(await product.metric('sallyport_uncaught_exceptions_total')).toBe(0);
  expect(await product.metric('sallyport_errors_total', 'code="internal_error"')).toBe(0);
  expect(product.stderr()).not.toMatch(/internal error|uncaught/);
  const still = await curl('-x', `http://127.0.0.1:${proxyPort}`, 'http://api.anthropic.com/v1/messages', '-d', '{}');
  expect(still.out).toContain('"anthropic"');
  expect(fickle.taken()).toBeGreaterThan(0);
});

test('a client that has gone before it is looked at is not taken for somebody without groups', async () => {
  const policy = labPolicy.replace(
    'rules:',
    'groups: { here: { networks: 127.0.0.1 } }\nrules:\n  - { id: here, domains: here.test, groups: here, effect: deny, reason: Not from here. }',
  );
  const lab = await labOfTest({ policy });
  const origin = await recorder();
  for (let round = 0; round < 30; round += 1) {
    const socket = connect({ port: lab.proxyPort, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      const authority = `here.test:${origin.port}`;
      socket.once('connect', () => {
        socket.write(`POST http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: 2\r\n\r\nhi`, () => {
          socket.resetAndDestroy();
          resolve();
        });
      });
    });
  }
  const { out } = await curl('-x', lab.proxyUrl, `http://here.test:${origin.port}/`);
  expect(out).toContain('Not from here.');
  expect(origin.taken()).toBe(0);
});
