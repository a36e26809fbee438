import { expect, test } from 'vitest';
import { createCounted, createPeople } from '../../src/rehearse/people.ts';
import { createTop } from '../../src/rehearse/top.ts';

function top(limit: number) {
  return createTop({ limit, create: () => ({ n: 0 }), count: ({ n }) => n });
}

test('below the limit every count is exact', () => {
  const counts = top(10);
  for (const key of ['a', 'b', 'b', 'c', 'b', 'c']) counts.at(key).n += 1;
  expect(counts.list(2)).toEqual([
    ['b', { n: 3 }],
    ['c', { n: 2 }],
  ]);
  expect([counts.size(), counts.lost()]).toEqual([3, 0]);
});

test('beyond it memory stays bounded, what is heavy stays, and no count is wrong by more than it says', () => {
  const counts = top(100);
  const truth = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const key = i % 3 === 0 ? `heavy ${i % 9}` : `light ${i}`;
    counts.at(key).n += 1;
    truth.set(key, (truth.get(key) ?? 0) + 1);
  }
  expect(counts.size()).toBeLessThanOrEqual(100);
  const first = counts.list(3);
  expect(first.map(([key]) => key).toSorted()).toEqual(['heavy 0', 'heavy 3', 'heavy 6']);
  expect(counts.lost()).toBeGreaterThan(0);
  for (const [key, { n }] of first) expect((truth.get(key) ?? 0) - n).toBeLessThanOrEqual(counts.lost());
});

test('people are told apart exactly, up to a bound that is owned up to', () => {
  const people = createPeople(70);
  const counted = createCounted();
  for (let i = 0; i < 200; i++) counted.add(people.number(`user ${i % 70}`));
  expect([counted.attempts(), counted.users(), people.count(), people.more()]).toEqual([200, 70, 70, false]);
  expect(people.number('one more')).toBe(-1);
  counted.add(-1);
  expect([counted.attempts(), counted.users(), people.more()]).toEqual([201, 70, true]);
});
