import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { relay } from '../../src/act/relay.ts';
import { wasReset } from '../../src/reset.ts';
import { eventually, rawClient, socketPair, type RawClient } from '../support/streams.ts';

interface Relayed {
  readonly client: RawClient;
  readonly origin: RawClient;
  readonly near: readonly [Socket, Socket];
  readonly done: ReturnType<typeof relay>;
}

/** client <-> near[0] =relay= near[1] <-> origin */
async function relayed(idleTimeout = 10_000): Promise<Relayed> {
  const [left, right] = await Promise.all([socketPair(), socketPair()]);
  const done = relay(left.near, right.near, idleTimeout);
  return { client: rawClient(left.far), origin: rawClient(right.far), near: [left.near, right.near], done };
}

test('the answer arrives after the client has ended its side', async () => {
  const { client, origin, done } = await relayed();
  origin.socket.on('end', () => origin.socket.end('answer'));
  client.socket.end('question');
  expect(await client.ended).toEqual({ how: 'fin', text: 'answer' });
  expect((await origin.ended).text).toBe('question');
  expect(await done).toEqual({ error: null });
});

test('the client may go on after the origin has ended its side', async () => {
  const { client, origin, done } = await relayed();
  client.socket.on('end', () => client.socket.end('last words'));
  origin.socket.end('greeting');
  expect(await origin.ended).toEqual({ how: 'fin', text: 'last words' });
  expect((await client.ended).text).toBe('greeting');
  expect(await done).toEqual({ error: null });
});

test.each([
  ['client', 'origin', 'client_closed'],
  ['origin', 'client', 'connection_terminated'],
] as const)('a reset by the %s cuts the %s by reset', async (from, to, error) => {
  const both = await relayed();
  both[from].write('begun');
  await both[to].until('begun');
  both[from].socket.resetAndDestroy();
  expect((await both[to].ended).how).toBe('reset');
  expect(await both.done).toEqual({ error });
});

test.each([
  ['client', 'origin', 'client_closed'],
  ['origin', 'client', 'connection_terminated'],
] as const)('a reset by the %s behind bytes that were not read yet is no end of them', async (from, to, error) => {
  const both = await relayed();
  const reader = both[to].socket.pause();
  // libuv may call it an end for the reader of this test, too.
  const how = new Promise((resolve) => {
    reader.once('end', () => resolve(wasReset(reader) ? 'reset' : 'fin')).once('error', () => resolve('reset'));
  });
  both[from].write(Buffer.alloc(8_000_000, 'x'));
  both[from].socket.resetAndDestroy();
  reader.resume();
  expect(await how).toBe('reset');
  expect(await both.done).toEqual({ error });
});

test('a reset after one side has ended in good order still cuts the other', async () => {
  const { client, origin, done } = await relayed();
  client.socket.end('question');
  await origin.until('question');
  origin.write('half');
  await client.until('half');
  origin.socket.resetAndDestroy();
  expect((await client.ended).how).toBe('reset');
  expect(await done).toEqual({ error: 'connection_terminated' });
});

test.each([
  ['client', 'origin'],
  ['origin', 'client'],
] as const)('a %s that has ended and closed may reset what still comes', async (from, to) => {
  const both = await relayed();
  both[from].write('all');
  await both[to].until('all');
  both[from].socket.end();
  await new Promise((resolve) => both[to].socket.once('end', resolve));
  both[from].socket.destroy();
  // The first write is what is answered by RST, the second finds the connection reset.
  for (let i = 0; i < 20 && both.near.some((socket) => !socket.destroyed); i += 1) {
    both[to].write('too late');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(await both.done).toEqual({ error: null });
});

/**
 * What a client sends that closes TLS: an alert in the clear, encrypted under TLS 1.2, and under TLS 1.3 behind other
 * bytes.
 */
const alerts = [
  ['in the clear', Buffer.from('15030300020100', 'hex')],
  ['of TLS 1.2', Buffer.concat([Buffer.from('150303001a', 'hex'), randomBytes(26)])],
  ['of TLS 1.3', Buffer.concat([randomBytes(90), Buffer.from('1703030013', 'hex'), randomBytes(19)])],
] as const;

test.each(alerts)('a client that has said so by an alert %s may leave its origin with a reset', async (_, alert) => {
  const { client, origin, done } = await relayed();
  client.write(alert);
  await eventually('the alert to arrive', () => origin.socket.bytesRead === alert.length);
  origin.write('the alert of the origin');
  await eventually('its answer', () => client.socket.bytesRead > 0);
  client.socket.resetAndDestroy();
  expect(await done).toEqual({ error: null });
  expect((await origin.ended).how).toBe('reset');
});

test.each(alerts)('also where its end and the reset by it are read at once: an alert %s', async (_, alert) => {
  const { client, origin, done } = await relayed();
  client.write(alert);
  await eventually('the alert to arrive', () => origin.socket.bytesRead === alert.length);
  // In this order the relay writes to the client before it reads of its end.
  origin.socket.write('the alert of the origin');
  client.socket.destroy();
  expect(await done).toEqual({ error: null });
  expect((await origin.ended).how).toBe('reset');
});

test('a client that has said more since has not left by its alert', async () => {
  const { client, origin, done } = await relayed();
  client.write(alerts[0][1]);
  await eventually('the alert to arrive', () => origin.socket.bytesRead === 7);
  client.write('more');
  await eventually('more to arrive', () => origin.socket.bytesRead === 11);
  client.socket.resetAndDestroy();
  expect(await done).toEqual({ error: 'client_closed' });
});

test('a client that has all that its origin had to say may reset', async () => {
  const { client, origin, done } = await relayed();
  origin.socket.end('all');
  await client.until('all');
  await new Promise((resolve) => client.socket.once('end', resolve));
  client.socket.resetAndDestroy();
  expect((await origin.ended).how).toBe('reset');
  expect(await done).toEqual({ error: null });
});

test('a client that has not all of it may not', async () => {
  const { near, far } = await socketPair();
  const client = new Duplex({ read: () => undefined, write: () => undefined });
  const done = relay(client, near, 10_000);
  far.end('half');
  await eventually('the end of it', () => near.readableEnded && client.writableLength > 0);
  client.destroy(new Error('reset'));
  expect(await done).toEqual({ error: 'client_closed' });
});

test.each(['client', 'origin'] as const)(
  'nothing for too long, first said by the %s, is the idle limit for both',
  async (who) => {
    const both = await relayed(200);
    both[who].write('x');
    expect(await both.done).toEqual({ error: 'idle_timeout' });
    expect((await both.client.ended).how).toBe('reset');
    expect((await both.origin.ended).how).toBe('reset');
  },
);

test('bytes in one direction only keep it alive', async () => {
  const both = await relayed(400);
  const drip = setInterval(() => both.origin.write('.'), 50);
  await both.client.until('.'.repeat(20));
  clearInterval(drip);
  both.client.socket.end();
  both.origin.socket.end();
  expect(await both.done).toEqual({ error: null });
});

test.each(['to', 'from'] as const)(
  '64 MiB %s a slow client arrive whole, and little is held meanwhile',
  async (direction) => {
    const [left, right] = await Promise.all([socketPair(), socketPair()]);
    const done = relay(left.near, right.near, 20_000);
    const [reader, writer] = direction === 'to' ? [left.far, right.far] : [right.far, left.far];
    const slow = direction === 'to' ? left.near : right.near;
    const block = randomBytes(1024 * 1024);
    const sent = createHash('sha256');
    writer.setMaxListeners(100);
    for (let i = 0; i < 64; i += 1) {
      sent.update(block);
      writer.write(block);
    }
    writer.end();
    reader.pause();
    await eventually('the slow side is full', () => slow.writableNeedDrain);
    let most = 0;
    const got = createHash('sha256');
    let bytes = 0;
    reader.on('data', (chunk: Buffer) => {
      got.update(chunk);
      bytes += chunk.length;
      most = Math.max(most, slow.writableLength + left.near.readableLength + right.near.readableLength);
      reader.pause();
      setImmediate(() => reader.resume());
    });
    reader.on('end', () => reader.end());
    reader.resume();
    expect(await done).toEqual({ error: null });
    expect(bytes).toBe(64 * 1024 * 1024);
    expect(got.digest('hex')).toBe(sent.digest('hex'));
    // One buffer of those that are used again.
    expect(most).toBeLessThanOrEqual(1024 * 1024);
  },
);

test.each([0, 1])('a side that is gone already cuts the other at once', async (which) => {
  const [left, right] = await Promise.all([socketPair(), socketPair()]);
  const gone = which === 0 ? left.near : right.near;
  const other = rawClient(which === 0 ? right.far : left.far);
  gone.destroy();
  await new Promise((resolve) => gone.once('close', resolve));
  expect((await relay(left.near, right.near, 10_000)).error).not.toBeNull();
  expect((await other.ended).how).toBe('reset');
});

test('100 resets at random moments leave no socket behind', async () => {
  const all = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const both = await relayed();
      const bytes = Buffer.alloc(1 + ((i * 7919) % 300_000));
      both.client.write(bytes);
      both.origin.write(bytes);
      const { socket: victim } = i % 2 === 0 ? both.client : both.origin;
      if (i % 3 === 0) victim.resetAndDestroy();
      else both.near[i % 2]?.once('data', () => victim.resetAndDestroy());
      const { error } = await both.done;
      return { error, open: both.near.filter((socket) => !socket.destroyed).length };
    }),
  );
  for (const { error, open } of all) {
    expect(error).not.toBeNull();
    expect(open).toBe(0);
  }
});
