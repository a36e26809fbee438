import { expect, test } from 'vitest';
import { createTurns } from '../../src/identify/turns.ts';

test('so many have a turn at once, the next ones in the order in which they came', async () => {
  const turns = createTurns(2, 2);
  const [first, second] = [await turns.take(), await turns.take()];
  const order: string[] = [];
  const third = turns.take().then((done) => (order.push('third'), done));
  const fourth = turns.take().then((done) => (order.push('fourth'), done));
  expect(await turns.take()).toBeNull();
  expect(order).toEqual([]);
  second?.();
  await third;
  expect(order).toEqual(['third']);
  first?.();
  (await third)?.();
  (await fourth)?.();
  expect(order).toEqual(['third', 'fourth']);
  expect(await turns.take()).not.toBeNull();
  expect(await turns.take()).not.toBeNull();
});
