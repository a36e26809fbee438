import { createHash } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createFeed, type Feed } from '../../src/act/feed.ts';
import { lent } from '../../src/act/large-buffers.ts';
import { eventually } from '../support/streams.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** An origin that runs `speak` for each connection. */
async function origin(speak: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    speak(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function dial(port: number): { feed: Feed; socket: Socket } {
  const feed = createFeed();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, onread: feed.onread });
  socket.on('error', () => undefined);
  feed.attach(socket);
  return { feed, socket };
}

/** An origin in a thread of its own, which sends zeros for as long as they are taken. */
async function tirelessOrigin(): Promise<number> {
  const worker = new Worker(
    `const { createServer } = require('node:net');
     const { parentPort } = require('node:worker_threads');
     const piece = Buffer.alloc(1024 * 1024);
     const server = createServer((socket) => {
       const send = () => { while (!socket.destroyed && socket.write(piece)); };
       socket.on('drain', send).on('error', () => undefined);
       send();
     });
     server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true },
  );
  onTestFinished(async () => {
    await worker.terminate();
  });
  return new Promise((resolve) => worker.once('message', resolve));
}

/** Bytes that differ for each seed and position, in pieces of changing size. */
function* pattern(seed: number, total: number): Generator<Buffer> {
  let at = 0;
  for (let i = 1; at < total; i += 1) {
    const piece = Buffer.alloc(Math.min(total - at, (i * 7919 * (seed + 1)) % 300_000 || 1));
    for (let j = 0; j < piece.length; j += 1) piece[j] = (at + j) * 31 + seed * 17 + ((at + j) >> 8);
    at += piece.length;
    yield piece;
  }
}

function send(socket: Socket, pieces: Generator<Buffer>): void {
  for (;;) {
    const next = pieces.next();
    if (next.done === true) {
      socket.end();
      return;
    }
    if (!socket.write(next.value)) {
      socket.once('drain', () => send(socket, pieces));
      return;
    }
  }
}

/** Keeps what it is given by reference until it is done with it, as a kernel with a full buffer does. */
function slowSink(delay: (n: number) => number): { sink: Writable; hash: () => string; size: () => number } {
  const hash = createHash('sha256');
  let [n, size] = [0, 0];
  const sink = new Writable({
    highWaterMark: 16 * 1024,
    write(chunk: Buffer, _encoding, done) {
      const take = (): void => {
        hash.update(chunk);
        size += chunk.length;
        done();
      };
      const wait = delay((n += 1));
      if (wait === 0) take();
      else setTimeout(take, wait);
    },
  });
  return { sink, hash: () => hash.copy().digest('hex'), size: () => size };
}

function hashOf(seed: number, total: number): string {
  const hash = createHash('sha256');
  for (const piece of pattern(seed, total)) hash.update(piece);
  return hash.digest('hex');
}

describe('a feed', () => {
  test('gives each of many sockets its own bytes, whatever pace their readers keep', async () => {
    const total = 6_000_000;
    const port = await origin((socket) => {
      socket.once('data', (seed: Buffer) => send(socket, pattern(seed[0] ?? 0, total)));
    });
    const downloads = Array.from({ length: 12 }, async (_, seed) => {
      const { feed, socket } = dial(port);
      const { sink, hash } = slowSink((n) => (seed % 3 === 0 ? 0 : n % (seed + 2) === 0 ? 2 : 0));
      feed.flowTo(sink);
      socket.write(Buffer.from([seed]));
      await new Promise((resolve) => socket.once('end', resolve));
      await new Promise<void>((resolve) => sink.end(resolve));
      socket.destroy();
      return hash();
    });
    const expected = Array.from({ length: 12 }, (_, seed) => hashOf(seed, total));
    expect(await Promise.all(downloads)).toEqual(expected);
  });

  test('what a reader has not taken yet is not overwritten by what others get', async () => {
    const port = await origin((socket) => void socket.on('data', (bytes: Buffer) => socket.write(bytes)));
    const kept: Buffer[] = [];
    const ask = async (letter: string): Promise<void> => {
      const { feed, socket } = dial(port);
      onTestFinished(() => void socket.destroy());
      // It has the bytes, but never says that it is done with them.
      const got = new Promise<void>((resolve) => {
        const write = (chunk: Buffer): void => {
          kept.push(chunk);
          resolve();
        };
        feed.flowTo(new Writable({ write }));
      });
      socket.write(letter.repeat(1_000));
      await got;
    };
    for (const letter of 'abc') await ask(letter);
    expect(kept.map(String)).toEqual(['a', 'b', 'c'].map((letter) => letter.repeat(1_000)));
  });

  test('stops reading while its sink has not taken what it has', async () => {
    let sent = 0;
    const block = Buffer.alloc(1024 * 1024);
    const port = await origin((socket) => {
      const more = (): void => {
        while (sent < 512 && socket.write(block)) sent += 1;
      };
      socket.on('drain', more);
      more();
    });
    const { feed, socket } = dial(port);
    let release = (): void => undefined;
    let held = 0;
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        held += chunk.length;
        release = done;
      },
    });
    feed.flowTo(sink);
    let before = -1;
    while (before !== socket.bytesRead || held === 0) {
      before = socket.bytesRead;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(socket.bytesRead).toBeLessThanOrEqual(2 * 1024 * 1024);
    expect(held).toBe(socket.bytesRead);
    const stopped = socket.bytesRead;
    const goesOn = new Promise((resolve) => {
      const look = setInterval(() => {
        if (socket.bytesRead === stopped) return;
        clearInterval(look);
        resolve(true);
      }, 10);
    });
    release();
    expect(await goesOn).toBe(true);
    socket.destroy();
  });

  test('tells of the first bytes, and keeps them for whoever takes them later', async () => {
    const port = await origin((socket) => void socket.write('220 hello\r\n'));
    const { feed, socket } = dial(port);
    await new Promise<void>((resolve) => feed.onFirstBytes(resolve));
    const { sink, size } = slowSink(() => 0);
    const got = new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (size() < 11) return;
        clearInterval(look);
        resolve();
      }, 5);
    });
    feed.flowTo(sink);
    await got;
    expect(size()).toBe(11);
    socket.destroy();
  });
});

test('a download that pauses gives its large buffer back, and goes on', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const total = 3_000_000;
  const port = await origin((socket) => {
    socket.on('data', (seed: Buffer) => {
      for (const piece of pattern(seed[0] ?? 0, total)) socket.write(piece);
    });
  });
  const { feed, socket } = dial(port);
  onTestFinished(() => void socket.destroy());
  const { sink, hash, size } = slowSink(() => 0);
  feed.flowTo(sink);
  const expected = createHash('sha256');
  for (const round of [1, 2, 3]) {
    socket.write(Buffer.from([round]));
    await eventually('the whole round', () => size() === round * total);
    for (const piece of pattern(round, total)) expected.update(piece);
    expect(hash()).toBe(expected.copy().digest('hex'));
    expect(lent()).toBe(1);
    vi.advanceTimersByTime(2_000);
    expect(lent()).toBe(0);
  }
});

test('a download that never pauses lets everybody else have their turn', async () => {
  const { feed, socket } = dial(await tirelessOrigin());
  let sent = 0;
  let turn = 0;
  let most = 0;
  feed.flowTo({
    write: (bytes, done) => {
      sent += bytes.length;
      turn += bytes.length;
      most = Math.max(most, turn);
      queueMicrotask(done);
      return true;
    },
    writableLength: 0,
  });
  while (sent < 512 * 1024 * 1024) {
    await new Promise((resolve) => setImmediate(resolve));
    turn = 0;
  }
  socket.destroy();
  expect(most).toBeGreaterThan(1024 * 1024);
  expect(most).toBeLessThanOrEqual(18 * 1024 * 1024);
});
