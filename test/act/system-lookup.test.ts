import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, expect, test, vi } from 'vitest';
import { createSystemLookup } from '../../src/act/system-lookup.ts';

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

const lastTwo = (name: string): string => name.split('.').slice(-2).join('.');
const names = (count: number, domain: string): string[] => Array.from({ length: count }, (_, i) => `n${i}.${domain}`);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A system resolver that answers when told to, and the names that it was asked for, in order. */
function told(): { readonly asked: string[]; readonly answer: (name: string) => Promise<void> } {
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  vi.spyOn(dns, 'lookup').mockImplementation(((name: string, _options: object, done: (...args: unknown[]) => void) => {
    asked.push(name);
    answers.set(name, () => done(null, [{ address: '192.0.2.9', family: 4 }]));
  }) as never);
  syncBuiltinESMExports();
  return {
    asked,
    async answer(name) {
      answers.get(name)?.();
      await settled();
    },
  };
}

/** The result of each lookup, once everything has settled that can. */
async function lookUp(lookup: (name: string) => Promise<unknown>, wanted: readonly string[]): Promise<unknown[]> {
  const came: unknown[] = wanted.map(() => 'waits');
  wanted.forEach((name, i) => {
    lookup(name).then(
      (found) => (came[i] = found),
      (error: unknown) => (came[i] = String(error)),
    );
  });
  await settled();
  return came;
}

test('one name is looked up at a time, however many wait, and a single-label name does not wait for it', async () => {
  const { asked, answer } = told();
  const came = await lookUp(createSystemLookup(lastTwo, 1_000), [...names(3, 'one.test'), 'intranet', 'printer']);
  expect(asked).toEqual(['n0.one.test', 'intranet']);
  await answer('intranet');
  expect(asked).toEqual(['n0.one.test', 'intranet', 'printer']);
  expect(came).toEqual(['waits', 'waits', 'waits', ['192.0.2.9'], 'waits']);
});

test('domains take turns: one with many names does not hold up the one of another', async () => {
  const { asked, answer } = told();
  await lookUp(createSystemLookup(lastTwo, 1_000), [...names(4, 'one.test'), ...names(2, 'two.test')]);
  for (let i = 0; i < 5; i += 1) await answer(asked.at(-1) ?? '');
  expect(asked).toEqual(['n0.one.test', 'n1.one.test', 'n0.two.test', 'n2.one.test', 'n1.two.test', 'n3.one.test']);
});

test('a name that has waited too long is not looked up', async () => {
  const { asked, answer } = told();
  const lookup = createSystemLookup(lastTwo, 1_000);
  const came = await lookUp(lookup, names(3, 'one.test'));
  const now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now + 1_001);
  const late = await lookUp(lookup, ['a.two.test']);
  await answer('n0.one.test');
  expect(asked).toEqual(['n0.one.test', 'a.two.test']);
  await answer('a.two.test');
  expect(late).toEqual([['192.0.2.9']]);
  expect(came.slice(1)).toEqual(new Array(2).fill(expect.stringContaining('too many names are waiting')));
});

test('up to 32 names of one domain may wait, and a thousand of all domains', async () => {
  const { asked } = told();
  const lookup = createSystemLookup(lastTwo, 1_000);
  const refused = (came: readonly unknown[]): number => came.filter((one) => one !== 'waits').length;
  expect(refused(await lookUp(lookup, names(40, 'one.test')))).toBe(7);
  const many = Array.from({ length: 1_000 }, (_, i) => `a.d${i}.test`);
  expect(refused(await lookUp(lookup, many))).toBe(32);
  expect(asked).toEqual(['n0.one.test']);
});
