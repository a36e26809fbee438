import { describe, expect, test } from 'vitest';
import type { TrustResult } from '../../src/flow.ts';
import { createTrust, networkOf } from '../../src/record/trust.ts';

const minute = 60_000;
const settings = { refusals: 3, window: 10 * minute, fallback: 5 * minute };
const client = '10.0.0.7';

/** Results at the minutes they came, in the order of the text: `u` unknown_ca, `b`, `r`, `s`, `a`. */
function after(text: string, options = settings, everyMinutes = 1) {
  const results: Record<string, TrustResult> = {
    u: 'unknown_ca',
    b: 'bad_certificate',
    r: 'reset',
    s: 'silent',
    a: 'accepted',
  };
  const trust = createTrust(options);
  Array.from(text).forEach((letter, index) => {
    trust.note(client, results[letter] ?? 'silent', index * everyMinutes * minute);
  });
  return { trust, last: (text.length - 1) * everyMinutes * minute };
}

describe('a client keeps refusing', () => {
  test.each([
    ['u', false],
    ['uu', false],
    ['uuu', true],
    ['ubr', true],
    ['uua', false],
    ['uuua', false],
    ['uuau', false],
    ['sssss', false],
    ['ususu', true],
    ['auuuuuu', false],
  ])('after %s: %s', (text, expected) => {
    const { trust, last } = after(text);
    expect(trust.refuses(client, last)).toBe(expected);
    expect(trust.refuses('10.0.0.8', last)).toBe(false);
  });

  test('not where its refusals are far apart', () => {
    const { trust, last } = after('uuuuuu', settings, 6);
    expect(trust.refuses(client, last)).toBe(false);
  });

  test('only for a while, and then only after as many again', () => {
    const { trust, last } = after('uuu');
    expect(trust.refuses(client, last + settings.fallback - 1)).toBe(true);
    const later = last + settings.fallback;
    expect(trust.refuses(client, later)).toBe(false);
    trust.note(client, 'unknown_ca', later);
    trust.note(client, 'unknown_ca', later);
    expect(trust.refuses(client, later)).toBe(false);
    trust.note(client, 'unknown_ca', later);
    expect(trust.refuses(client, later)).toBe(true);
  });

  test('although it accepted a leaf once, a day later', () => {
    const trust = createTrust(settings);
    trust.note(client, 'accepted', 0);
    const later = 24 * 60 * minute + 1;
    for (let i = 0; i < 3; i += 1) trust.note(client, 'unknown_ca', later);
    expect(trust.refuses(client, later)).toBe(true);
  });

  test('never, where that is configured', () => {
    const { trust, last } = after('uuuuuuuuu', { ...settings, refusals: 0 });
    expect(trust.refuses(client, last)).toBe(false);
  });
});

test.each([
  ['', null],
  ['s', null],
  ['u', false],
  ['us', false],
  ['ua', true],
  ['as', true],
  ['ar', false],
])('after %j the client accepts the leaf: %s', (text, expected) => {
  expect(after(text).trust.accepts(client)).toBe(expected);
});

test('all is counted', () => {
  expect(after('uuabbrs').trust.counts()).toEqual({
    accepted: 1,
    unknown_ca: 2,
    bad_certificate: 2,
    reset: 1,
    silent: 1,
  });
});

test('networks that need the CA come first, then the latest', () => {
  const trust = createTrust(settings);
  const seen: [string, TrustResult, number][] = [
    ['10.0.1.1', 'accepted', 4],
    ['10.0.1.1', 'silent', 5],
    ['10.0.2.1', 'unknown_ca', 1],
    ['10.0.2.2', 'accepted', 2],
    ['10.0.3.1', 'unknown_ca', 1],
    ['10.0.3.2', 'reset', 3],
    ['10.0.3.2', 'reset', 3],
    ['10.0.3.2', 'reset', 3],
    ['10.0.4.1', 'accepted', 9],
  ];
  for (const [address, result, at] of seen) trust.note(address, result, at);
  const networks = trust.networks(10);
  expect(networks.map(({ network, clients, needCa, lastSeen }) => [network, clients, needCa, lastSeen])).toEqual([
    ['10.0.3.0/24', 2, 2, 3],
    ['10.0.2.0/24', 2, 1, 2],
    ['10.0.4.0/24', 1, 0, 9],
    ['10.0.1.0/24', 1, 0, 5],
  ]);
  expect(networks[0]).toMatchObject({ results: { unknown_ca: 1, reset: 3 }, fallbackUntil: 3 + settings.fallback });
  trust.note('10.0.5.1', 'silent', 1);
  expect(trust.networks(10).find(({ network }) => network === '10.0.5.0/24')?.needCa).toBe(1);
  expect(networks[1]?.fallbackUntil).toBeNull();
});

test('the number of addresses is bounded: the one that was silent longest goes', () => {
  const trust = createTrust({ ...settings, refusals: 1 }, 2);
  trust.note('10.0.1.1', 'reset', 0);
  trust.note('10.0.2.1', 'reset', 0);
  trust.note('10.0.1.1', 'reset', 0);
  trust.note('10.0.3.1', 'reset', 0);
  expect(trust.refuses('10.0.1.1', 1)).toBe(true);
  expect(trust.refuses('10.0.2.1', 1)).toBe(false);
  expect(trust.networks(1)).toHaveLength(2);
});

test.each([
  ['192.168.7.9', '192.168.7.0/24'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8::/64'],
  ['fd00:0:0:7::1', 'fd00:0:0:7::/64'],
  ['::1', '::/64'],
  ['fe80::1:2:3:4', 'fe80::/64'],
  ['1:2:3::8', '1:2:3::/64'],
])('%s is in %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
