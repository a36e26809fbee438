import { expect, test } from 'vitest';
import { createSemaphore } from '../../src/identify/semaphore.ts';

test('so many have a turn at once, the next ones in the order in which they came', async () => {
  const turns = createSemaphore(2, 2);
  const [first, second] = [await turns.acquire(), await turns.acquire()];
  const order: string[] = [];
  const third = turns.acquire().then((done) => (order.push('third'), done));
  const fourth = turns.acquire().then((done) => (order.push('fourth'), done));
  expect(await turns.acquire()).toBeNull();
  expect(order).toEqual([]);
  second?.();
  await third;
  expect(order).toEqual(['third']);
  first?.();
  (await third)?.();
  (await fourth)?.();
  expect(order).toEqual(['third', 'fourth']);
  expect(await turns.acquire()).not.toBeNull();
  expect(await turns.acquire()).not.toBeNull();
});
