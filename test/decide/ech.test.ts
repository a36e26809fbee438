import { expect, test } from 'vitest';
import { compile } from '../../src/decide/compile.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Hostname } from '../../src/flow.ts';
import { document, now, question } from './questions.ts';
import { decided, expectRow } from './rows.ts';
import type { Row } from './rows.ts';

const strict = { defaults: { ech: 'deny' } } as const;
const hello = { moment: 'hello', ech: true } as const;
const closed = ['deny', 'encrypted-client-hello', 'reset'] as const;
const passed = ['allow', 'default-unlisted', 'tunnel'] as const;

const rows: readonly Row[] = [
  ['the public name of a CDN, by default', {}, { ...hello, host: 'cloudflare-ech.com' }, passed],
  ['the public name of a CDN', strict, { ...hello, host: 'cloudflare-ech.com' }, closed],
  ['its name without an encrypted hello', strict, { moment: 'hello', host: 'cloudflare-ech.com' }, passed],
  ['its name before the hello', strict, { host: 'cloudflare-ech.com' }, passed],
  ['a name below it', strict, { ...hello, host: 'www.cloudflare-ech.com' }, passed],
  ['noise under the name that was asked for', strict, { ...hello, host: 'corp.test' }, passed],
  [
    'a public name under another one',
    strict,
    { ...hello, host: 'corp.test', serverName: 'cloudflare-ech.com' },
    closed,
  ],
  ['a name that nobody knows under another one', strict, { ...hello, host: 'corp.test', serverName: 'x.test' }, closed],
  [
    'the same by default',
    {},
    { ...hello, host: 'corp.test', serverName: 'cloudflare-ech.com' },
    ['deny', 'server-name-mismatch', 'reset'],
  ],
  [
    'two names without an encrypted hello',
    strict,
    { host: 'corp.test', serverName: 'x.test' },
    ['deny', 'server-name-mismatch', 'reset'],
  ],
  ['an address, with noise', strict, { ...hello, host: '10.1.1.1', serverName: 'corp.test' }, passed],
  ['an address, with a public name', strict, { ...hello, host: '10.1.1.1', serverName: 'cloudflare-ech.com' }, closed],
  ['an address that waits for the hello', strict, { host: '10.1.1.1' }, ['deny', 'default-raw-address', 'listen']],
  [
    'a public name that the policy names',
    { defaults: { ech: 'deny', echPublicNames: ['ech.example' as Hostname] } },
    { ...hello, host: 'ech.example' },
    closed,
  ],
  [
    'an allow rule, which is about the name that is seen',
    { ...strict, rules: [{ domains: ['cloudflare-ech.com'], effect: 'allow' }] },
    { ...hello, host: 'cloudflare-ech.com' },
    closed,
  ],
  [
    'a rule that denies, which says more',
    { ...strict, rules: [{ vendors: ['anthropic'] }] },
    { ...hello, host: 'claude.ai', serverName: 'cloudflare-ech.com' },
    ['deny', 'rule-0', 'intercept'],
  ],
];

test.each(rows)('encrypted hellos: %s', (...row) => expectRow(row));

test('records tell it from two names that differ', () => {
  const errorOf = (...[policy, asked]: Parameters<typeof decided>): unknown => {
    const { decision, action } = decided(policy, asked);
    return [decision.effect === 'deny' && decision.denial.error, action.kind === 'reset' && action.error];
  };
  const twoNames = { host: 'corp.test', serverName: 'x.test' };
  expect(errorOf(strict, { ...twoNames, ...hello })).toEqual(['ech_denied', 'ech_denied']);
  expect(errorOf(strict, twoNames)).toEqual(['server_name_mismatch', 'server_name_mismatch']);
});

test('a tunnel under the name that was asked for gets what it would get without the extension', () => {
  const policy = compile(document({ ...strict, rules: [{ vendors: ['anthropic'] }] }));
  for (const host of ['claude.ai', 'chatgpt.com', 'corp.test', '10.1.1.1', '::1']) {
    const plain = decide(policy, question({ moment: 'hello', host }), now);
    expect(decide(policy, question({ moment: 'hello', host, ech: true }), now)).toEqual(plain);
  }
});
