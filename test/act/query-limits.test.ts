import { afterEach, expect, test, vi } from 'vitest';
import { createQueryLimits } from '../../src/act/query-limits.ts';

afterEach(() => void vi.restoreAllMocks());

const lastTwo = (name: string): string => name.split('.').slice(-2).join('.');

/** What came of entering, once all has settled that can. */
async function enterAll(enter: (name: string) => Promise<unknown>, names: readonly string[]): Promise<unknown[]> {
  const came: unknown[] = names.map(() => 'waits');
  names.forEach((name, i) => void enter(name).then((done) => (came[i] = done)));
  await new Promise((resolve) => setImmediate(resolve));
  return came;
}

const names = (count: number, domain: string): string[] => Array.from({ length: count }, (_, i) => `n${i}.${domain}`);

test('names of one domain wait for each other beyond 32, and nobody waits for those of another', async () => {
  const { acquire: enter } = createQueryLimits(lastTwo, 1_000);
  const came = await enterAll(enter, [...names(34, 'one.test'), 'a.two.test']);
  expect(came.filter((done) => done === 'waits')).toHaveLength(2);
  expect(came.at(-1)).toBeTypeOf('function');
  (came[0] as (records: number) => void)(2);
  await new Promise((resolve) => setImmediate(resolve));
  expect(came[32]).toBeTypeOf('function');
  expect(came[33]).toBe('waits');
});

test('who waited for longer than it may is let go, and takes nobody’s place', async () => {
  const { acquire: enter } = createQueryLimits(lastTwo, 1_000);
  const came = await enterAll(enter, names(33, 'one.test'));
  const now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now + 1_001);
  (came[0] as (records: number) => void)(2);
  await new Promise((resolve) => setImmediate(resolve));
  expect(came[32]).toBeNull();
  expect(await enter('late.one.test')).toBeTypeOf('function');
});

test('an answer that is too large ends the waiting of all', async () => {
  const { acquire: enter } = createQueryLimits(lastTwo, 1_000);
  const came = await enterAll(enter, names(40, 'one.test'));
  (came[0] as (records: number) => void)(513);
  await new Promise((resolve) => setImmediate(resolve));
  expect(came.slice(32)).toEqual(new Array(8).fill(null));
  expect(await enter('more.one.test')).toBeNull();
  expect(await enter('a.two.test')).toBeTypeOf('function');
});
