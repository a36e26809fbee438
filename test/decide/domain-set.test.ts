import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildDomainSet } from '../../src/decide/domain-set.ts';
import type { DomainSet, Listed } from '../../src/decide/domain-set.ts';

type Entries = readonly (readonly [name: string, listed: Listed])[];

function setOf(entries: Entries, seed = 7): DomainSet {
  const builder = buildDomainSet(seed);
  for (const [name, listed] of entries) {
    const bytes = Buffer.from(`##${name}##`);
    builder.add(bytes, 2, bytes.length - 2, listed);
  }
  const steps = builder.build();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const entries: Entries = [
  ['example.com', 'suffix'],
  ['deep.example.com', 'suffix'],
  ['only.test', 'exact'],
  ['both.test', 'exact'],
  ['both.test', 'suffix'],
  ['spared.example.com', 'not'],
  ['10.0.0.1', 'exact'],
];

test.each([
  ['example.com', 11],
  ['www.example.com', 11],
  ['deep.example.com', 16],
  ['a.deep.example.com', 16],
  ['notexample.com', 0],
  ['example.com.evil.test', 0],
  ['com', 0],
  ['only.test', Infinity],
  ['www.only.test', 0],
  ['both.test', Infinity],
  ['www.both.test', 9],
  ['spared.example.com', 0],
  ['a.spared.example.com', 0],
  ['10.0.0.1', Infinity],
  ['110.0.0.1', 0],
  ['', 0],
  ['.', 0],
])('%s is covered by %s characters', (host, length) => {
  expect(setOf(entries).find(host)).toBe(length);
});

test('an empty set covers nothing', () => {
  expect(setOf([])).toMatchObject({ size: 0 });
  expect(setOf([]).find('example.com')).toBe(0);
});

test('a name that is listed twice counts once', () => {
  expect(setOf([...entries, ...entries]).size).toBe(entries.length);
});

/** What the set must say, by walking over all of it. */
function slowly(all: Entries, host: string): number {
  const covering = all.filter(([name, listed]) =>
    listed === 'exact' ? name === host : name === host || host.endsWith(`.${name}`),
  );
  if (covering.some(([, listed]) => listed === 'not')) return 0;
  return Math.max(0, ...covering.map(([name, listed]) => (listed === 'exact' ? Infinity : name.length)));
}

const label = fc.constantFrom('a', 'b', 'ab', 'ba', 'aa', 'x-1');
const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
const listed = fc.constantFrom<Listed>('suffix', 'suffix', 'exact', 'not');

test('says what a walk over the whole list says, for any list and any seed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, listed)), fc.array(name), fc.integer(), (all, hosts, seed) => {
      const set = setOf(all, seed);
      for (const host of [...hosts, ...all.map(([listedName]) => `a.${listedName}`)]) {
        expect(set.find(host)).toBe(slowly(all, host));
      }
    }),
    { numRuns: 300 },
  );
});

test('finds each of 200,000 names over several pages, and none of as many others', () => {
  const nameOf = (i: number, tld: string): string => `host-${i}.domain-${i % 91}.${tld}`;
  const set = setOf(Array.from({ length: 200_000 }, (_, i) => [nameOf(i, 'test'), 'suffix'] as const));
  expect(set.size).toBe(200_000);
  for (let i = 0; i < 200_000; i++) {
    const found = nameOf(i, 'test');
    if (set.find(found) !== found.length) expect.fail(found);
    if (set.find(nameOf(i, 'tset')) !== 0) expect.fail(`found ${nameOf(i, 'tset')}`);
  }
});
