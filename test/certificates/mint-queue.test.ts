import { expect, test } from 'vitest';
import { createMintQueue } from '../../src/certificates/mint-queue.ts';
import type { Target } from '../../src/flow.ts';
import { parseHost } from '../../src/listen/target.ts';

const target = (host: string): Target => ({ ...parseHost(host), port: 443 });

test('lets a few pass at once, has the rest wait for their turn in order, and turns away what is too many', async () => {
  let refused = 0;
  const queue = createMintQueue({
    perSecond: 50,
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
