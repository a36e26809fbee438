import { expect, test } from 'vitest';
import { indexHosts } from '../../src/decide/match.ts';
import type { HostEntry } from '../../src/decide/match.ts';
import { readPattern } from '../../src/decide/entry.ts';
import type { Hostname } from '../../src/flow.ts';
import { parseHost } from '../../src/listen/target.ts';

/** Patterns as rules write them; the value is the pattern. */
function indexed(...patterns: readonly string[]) {
  return indexHosts(patterns.map((value): HostEntry<string> => ({ ...readPattern(value), value })));
}

test.each([
  ['a suffix covers its own name', ['openai.com'], 'openai.com', 'openai.com'],
  ['a suffix covers what is below it, at any depth', ['openai.com'], 'a.b.openai.com', 'openai.com'],
  ['a suffix ends on a label boundary', ['openai.com'], 'notopenai.com', null],
  ['a suffix is no prefix', ['openai.com'], 'openai.com.evil.test', null],
  ['a suffix is not the part of a label', ['openai.com'], 'openai.com-x.test', null],
  ['a suffix does not cover what is above it', ['api.openai.com'], 'openai.com', null],
  ['an exact pattern covers its own name', ['=openai.com'], 'openai.com', '=openai.com'],
  ['an exact pattern covers nothing below it', ['=openai.com'], 'api.openai.com', null],
  ['exact goes before suffix', ['openai.com', '=openai.com'], 'openai.com', '=openai.com'],
  ['exact goes before every suffix', ['=a.b.test', 'a.b.test', 'b.test'], 'a.b.test', '=a.b.test'],
  ['the longest suffix goes first', ['test', 'a.b.test', 'b.test'], 'x.a.b.test', 'a.b.test'],
  ['a whole zone', ['test'], 'x.test', 'test'],
  ['an address is covered by itself', ['=10.0.0.1'], '10.0.0.1', '=10.0.0.1'],
  ['an address is no part of another', ['10.0.0.1', '=10.0.0.1'], '110.0.0.1', null],
  ['an IPv6 address is covered by itself', ['=2001:db8::1'], '2001:db8::1', '=2001:db8::1'],
  ['an IPv6 address has no suffix', ['::1'], '2001:db8::1', null],
  ['a look-alike is another name', ['=api.openai.com'], 'xn--pi-6kc.openai.com', null],
  ['a look-alike is below its zone all the same', ['openai.com'], 'xn--pi-6kc.openai.com', 'openai.com'],
  ['nothing covers anything in an empty index', [], 'openai.com', null],
])('%s', (_, patterns, host, expected) => {
  expect(indexed(...patterns).find(host as Hostname)).toBe(expected);
});

test.each([['bücher.test'], ['BÜCHER.TEST.'], ['xn--bcher-kva.test'], ['shop.Bücher.test']])(
  'the target parser and the index agree on %s',
  (written) => {
    const pattern = parseHost('Bücher.test').host;
    expect(indexed(pattern).find(parseHost(written).host)).toBe('xn--bcher-kva.test');
  },
);

test('of two entries for the same pattern the first stays', () => {
  const index = indexHosts([
    { match: 'suffix', host: 'a.test', value: 1 },
    { match: 'suffix', host: 'a.test', value: 2 },
  ]);
  expect(index.find('a.test' as Hostname)).toBe(1);
});

test('offers every pattern that covers the host, the most specific first, until one is chosen', () => {
  const index = indexed('test', '=x.a.test', 'a.test', 'x.a.test', 'b.test');
  const seen: string[] = [];
  const all = index.pick('x.a.test' as Hostname, (value) => {
    seen.push(value);
    return null;
  });
  expect([all, seen]).toEqual([null, ['=x.a.test', 'x.a.test', 'a.test', 'test']]);
  expect(index.pick('x.a.test' as Hostname, (value) => (value.startsWith('a') ? value.length : null))).toBe(6);
});

test.each([[1], [101], [10_001]])('finds the same among %i names', (count) => {
  const others = Array.from({ length: count - 1 }, (_, i) => `other${i}.test`);
  const index = indexed(...others, 'deny.test');
  expect(index.find('www.deny.test' as Hostname)).toBe('deny.test');
  expect(index.find('allow.test' as Hostname)).toBeNull();
});
