import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createSpareDials } from '../../src/act/spare-dials.ts';
import { eventually, socketPair } from '../support/streams.ts';

const ignore = (): void => undefined;

async function dialled(): Promise<Socket> {
  return (await socketPair()).near;
}

test('what nobody waits for is taken once, and only for its own place', async () => {
  const spares = createSpareDials(10_000);
  const dial = dialled();
  const spare = { socket: dial, abort: ignore };
  spares.keep('a.test 80', spare);
  expect(spares.take('b.test 80')).toBeUndefined();
  expect(spares.take('a.test 80')).toBe(spare);
  expect(spares.take('a.test 80')).toBeUndefined();
  expect((await dial).destroyed).toBe(false);
});

test('a connection is kept for its time, and then closed', async () => {
  const spares = createSpareDials(20);
  const [kept, taken] = [await dialled(), await dialled()];
  spares.keep('a.test 80', { socket: Promise.resolve(taken), abort: ignore });
  await new Promise(setImmediate);
  expect(spares.take('a.test 80')).toBeDefined();
  spares.keep('a.test 80', { socket: Promise.resolve(kept), abort: ignore });
  await eventually('it is closed', () => kept.destroyed);
  expect(spares.take('a.test 80')).toBeUndefined();
  expect(taken.destroyed).toBe(false);
});

test('what fails or is closed by the origin is nobody’s', async () => {
  const spares = createSpareDials(10_000);
  const failed = Promise.reject<Socket>(new Error('refused'));
  spares.keep('a.test 80', { socket: failed, abort: ignore });
  const { near, far } = await socketPair();
  near.allowHalfOpen = false;
  near.resume();
  spares.keep('a.test 80', { socket: Promise.resolve(near), abort: ignore });
  await new Promise(setImmediate);
  far.end();
  await eventually('it is closed', () => near.destroyed);
  expect(spares.take('a.test 80')).toBeUndefined();
});

test('64 are kept in all, and none once they are closed', async () => {
  const spares = createSpareDials(10_000);
  const keep = async (): Promise<Socket> => {
    const socket = await dialled();
    spares.keep(`${socket.remotePort}.test 80`, { socket: Promise.resolve(socket), abort: ignore });
    return socket;
  };
  const sockets = await Promise.all(Array.from({ length: 70 }, keep));
  await new Promise(setImmediate);
  expect(sockets.filter(({ destroyed }) => destroyed)).toHaveLength(6);
  spares.close();
  const late = await keep();
  await eventually('all are closed', () => [...sockets, late].every(({ destroyed }) => destroyed));
});

test('64 dials in progress are kept in all, also of those that were taken over; the others are aborted', () => {
  const spares = createSpareDials(10_000);
  let aborted = 0;
  const dial = (): void => {
    spares.keep('a.test 80', { socket: new Promise(ignore), abort: () => (aborted += 1) });
  };
  for (let i = 0; i < 64; i++) dial();
  expect(aborted).toBe(0);
  dial();
  expect(aborted).toBe(1);
  const taken = spares.take('a.test 80');
  dial();
  expect(aborted).toBe(1);
  if (taken !== undefined) spares.keep('a.test 80', taken);
  expect(aborted).toBe(2);
});
