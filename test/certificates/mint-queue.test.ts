import { expect, test } from 'vitest';
import { createMintQueue } from '../../src/certificates/mint-queue.ts';
import type { Target } from '../../src/flow.ts';
import { parseHost } from '../../src/listen/target.ts';

const target = (host: string): Target => ({ ...parseHost(host), port: 443 });

test('lets a few pass at once, has the rest wait for their turn in order, and turns away what is too many', async () => {
  let refused = 0;
  const queue = createMintQueue({
    perSecond: 100,
    waiting: 3,
    isCached: ({ host }) => host === 'known.test',
    now: () => performance.now(),
    refused: () => (refused += 1),
  });
  const turns = Array.from({ length: 10 }, (_, i) => queue.turn(target(`name-${i}.test`)));
  expect(turns.filter((turn) => turn === true)).toHaveLength(5);
  expect(turns.filter((turn) => turn === false)).toHaveLength(2);
  expect(refused).toBe(2);
  expect([queue.full(target('new.test')), queue.full(target('known.test'))]).toEqual([true, false]);
  expect(queue.turn(target('known.test'))).toBe(true);
  const order: number[] = [];
  await Promise.all(turns.map(async (turn, i) => turn !== true && (await turn) && order.push(i)));
  expect(order).toEqual([5, 6, 7]);
  expect(queue.full(target('new.test'))).toBe(false);
});

test('a loop that is late is given no more work for it', async () => {
  const queue = createMintQueue({
    perSecond: 100,
    waiting: 100,
    isCached: () => false,
    now: () => performance.now(),
    refused: () => undefined,
  });
  const turns = Array.from({ length: 30 }, (_, i) => queue.turn(target(`name-${i}.test`)));
  let done = 0;
  for (const turn of turns) if (turn !== true) void Promise.resolve(turn).then(() => (done += 1));
  // Time for ten of them, in which the loop stands still.
  const until = performance.now() + 100;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(done).toBeLessThanOrEqual(2);
  await Promise.all(turns.map(async (turn) => await turn));
  expect(done).toBe(25);
});
