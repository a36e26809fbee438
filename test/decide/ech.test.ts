import { expect, test } from 'vitest';
import { compile } from '../../src/decide/compile.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Hostname } from '../../src/flow.ts';
import { document, now, question } from './questions.ts';
import type { PolicyGiven } from './questions.ts';
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
  [
    'a name that nobody knows under another one',
    strict,
    { ...hello, host: 'corp.test', serverName: 'x.test' },
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

const hidden = { ...hello, host: 'corp.test', serverName: 'cloudflare-ech.com' } as const;
const mismatch = ['deny', 'server-name-mismatch', 'reset'] as const;
const onlyCorp = { domains: ['corp.test'], effect: 'allow' } as const;

const agreeing: readonly Row[] = [
  ['stands in for what was asked for', {}, hidden, passed],
  [
    'what was asked for is counted',
    { rules: [{ domains: ['corp.test'], effect: 'monitor' }] },
    hidden,
    ['monitor', 'rule-0', 'tunnel'],
  ],
  [
    'what was asked for is denied',
    { rules: [{ domains: ['corp.test'] }], defaults: { ech: 'allow' } },
    hidden,
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'a rule denies it',
    { rules: [{ domains: ['cloudflare-ech.com'] }], defaults: { ech: 'allow' } },
    hidden,
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'only a default denies it',
    { rules: [onlyCorp], defaults: { ech: 'allow', unlisted: 'deny' } },
    hidden,
    ['allow', 'rule-0', 'tunnel'],
  ],
  ['nobody knows it', {}, { ...hidden, serverName: 'x.test' }, mismatch],
  ['it is below a public one', {}, { ...hidden, serverName: 'www.cloudflare-ech.com' }, mismatch],
  ['nothing is encrypted', {}, { ...hidden, ech: false }, mismatch],
  [
    'the policy names it',
    { defaults: { echPublicNames: ['ech.example' as Hostname] } },
    { ...hidden, serverName: 'ech.example' },
    passed,
  ],
  [
    'an address was asked for, and a default denies it',
    { defaults: { ech: 'allow', unlisted: 'deny' } },
    { ...hidden, host: '10.1.1.1' },
    ['deny', 'default-unlisted', 'intercept'],
  ],
];

test.each(agreeing)('a public name, where encrypted hellos are allowed: %s', (...row) => expectRow(row));

test.each<[sentence: string, policy: PolicyGiven, denied: boolean]>([
  ['nothing is denied but raw addresses', { defaults: { rawAddress: 'deny' } }, false],
  ['rules count and allow', { rules: [{ effect: 'monitor' }, onlyCorp] }, false],
  ['a rule denies something', { rules: [onlyCorp, { vendors: ['openai'] }] }, true],
  [
    'hosts that are in no list are denied',
    { rules: [onlyCorp, { domains: ['cloudflare-ech.com'], effect: 'allow' }], defaults: { unlisted: 'deny' } },
    true,
  ],
  ['services that no rule names are denied', { defaults: { catalogue: 'deny' } }, true],
  ['those of unknown makers are denied', { defaults: { unknownModel: 'deny' } }, true],
  ['only approved services may be used', { sanctionedOnly: true }, true],
  ['the policy says otherwise', { rules: [{ vendors: ['openai'] }], defaults: { ech: 'allow' } }, false],
])('whether hidden names are denied by default: %s', (_, policy, denied) => {
  expect(decided(policy, hidden).decision.rule === 'encrypted-client-hello').toBe(denied);
  const grease = decided(policy, { ...hello, host: 'chatgpt.com' });
  expect(grease).toEqual(decided(policy, { moment: 'hello', host: 'chatgpt.com' }));
});

test('a decision says whether a public name hid another, and nothing where it was noise', () => {
  const flagOf = (...asked: Parameters<typeof decided>): unknown => decided(...asked).decision.ech;
  expect([flagOf({}, hidden), flagOf(strict, hidden)]).toEqual([true, true]);
  expect(flagOf({}, { ...hello, host: 'cloudflare-ech.com' })).toBe(true);
  expect(decided({}, { ...hello, host: 'corp.test' }).decision).not.toHaveProperty('ech');
  expect(decided(strict, { ...hidden, serverName: 'x.test' }).decision).not.toHaveProperty('ech');
});

test('records tell it from two names that differ', () => {
  const errorOf = (...[policy, asked]: Parameters<typeof decided>): unknown => {
    const { decision, action } = decided(policy, asked);
    return [decision.effect === 'deny' && decision.denial.error, action.kind === 'reset' && action.error];
  };
  const veiled = { ...hello, host: 'corp.test', serverName: 'cloudflare-ech.com' };
  expect(errorOf(strict, veiled)).toEqual(['ech_denied', 'ech_denied']);
  expect(errorOf(strict, { ...veiled, ech: false })).toEqual(['server_name_mismatch', 'server_name_mismatch']);
});

test('a tunnel under the name that was asked for gets what it would get without the extension', () => {
  const policy = compile(document({ ...strict, rules: [{ vendors: ['anthropic'] }] }));
  for (const host of ['claude.ai', 'chatgpt.com', 'corp.test', '10.1.1.1', '::1']) {
    const plain = decide(policy, question({ moment: 'hello', host }), now);
    expect(decide(policy, question({ moment: 'hello', host, ech: true }), now)).toEqual(plain);
  }
});
