import { expect, test } from 'vitest';
import { compile } from '../../src/decide/compile.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Effect } from '../../src/flow.ts';
import { day, document, now, question, serviceAt } from './questions.ts';
import { decided, expectRow } from './rows.ts';
import type { Row } from './rows.ts';

const defaults: readonly Row[] = [
  ['a service that no rule names', {}, {}, ['monitor', 'default-catalogue', 'tunnel']],
  [
    'a service that no rule names, denied',
    { defaults: { catalogue: 'deny' } },
    {},
    ['deny', 'default-catalogue', 'intercept'],
  ],
  ['a host that nobody knows', {}, { host: 'corp.test' }, ['allow', 'default-unlisted', 'tunnel']],
  [
    'a host that nobody knows, denied',
    { defaults: { unlisted: 'deny', manner: 'refuse' } },
    { host: 'corp.test' },
    ['deny', 'default-unlisted', 'refuse'],
  ],
  ['a plain request', {}, { host: 'corp.test', moment: 'request' }, ['allow', 'default-unlisted', 'forward']],
  [
    'a plain request to an address',
    {},
    { host: '10.1.1.1', moment: 'request' },
    ['deny', 'default-raw-address', 'block'],
  ],
];

const matching: readonly Row[] = [
  ['a vendor', { rules: [{ vendors: ['anthropic'] }] }, {}, ['deny', 'rule-0', 'intercept']],
  ['another vendor', { rules: [{ vendors: ['openai'] }] }, {}, ['monitor', 'default-catalogue', 'tunnel']],
  ['one of two vendors', { rules: [{ vendors: ['openai', 'anthropic'] }] }, {}, ['deny', 'rule-0', 'intercept']],
  ['a product', { rules: [{ products: ['anthropic/claude'] }] }, {}, ['deny', 'rule-0', 'intercept']],
  [
    'the product of that name of another vendor',
    { rules: [{ products: ['openai/claude'] }] },
    {},
    ['monitor', 'default-catalogue', 'tunnel'],
  ],
  ['a tag', { rules: [{ tags: ['other', 'assistant'] }] }, {}, ['deny', 'rule-0', 'intercept']],
  ['a channel', { rules: [{ channels: ['direct'] }] }, {}, ['deny', 'rule-0', 'intercept']],
  ['another channel', { rules: [{ channels: ['cloud'] }] }, {}, ['monitor', 'default-catalogue', 'tunnel']],
  [
    'a domain and what is below it',
    { rules: [{ domains: ['corp.test'] }] },
    { host: 'a.corp.test' },
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'only the domain',
    { rules: [{ domains: ['=corp.test'] }] },
    { host: 'a.corp.test' },
    ['allow', 'default-unlisted', 'tunnel'],
  ],
  [
    'a rule about everything, for a known service',
    { rules: [{ effect: 'deny' }] },
    {},
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'a rule about everything, for an unknown host',
    { rules: [{ effect: 'deny' }] },
    { host: 'corp.test' },
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'all fields must hold: they do',
    { rules: [{ vendors: ['relay'], channels: ['reseller'], tags: ['assistant'], domains: ['relay.test'] }] },
    { host: 'a.relay.test' },
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'all fields must hold: the channel does not',
    { rules: [{ vendors: ['relay'], channels: ['direct'], domains: ['relay.test'] }] },
    { host: 'a.relay.test' },
    ['monitor', 'default-catalogue', 'tunnel'],
  ],
  [
    'all fields must hold: a host that is not in the catalogue has no vendor',
    { rules: [{ vendors: ['relay'], domains: ['corp.test'] }] },
    { host: 'corp.test' },
    ['allow', 'default-unlisted', 'tunnel'],
  ],
  [
    'a group that the client is in',
    { rules: [{ vendors: ['anthropic'], groups: ['design', 'research'] }] },
    { groups: ['research'] },
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'a group that the client is not in',
    { rules: [{ vendors: ['anthropic'], groups: ['design'] }] },
    { groups: ['research'] },
    ['monitor', 'default-catalogue', 'tunnel'],
  ],
];

test.each(defaults)('defaults: %s', (...row) => expectRow(row));
test.each(matching)('matching: %s', (...row) => expectRow(row));

test.each([
  ['before', now - 1, 'monitor', 'count'],
  ['at the first moment', now, 'deny', 'ban'],
  ['at the last moment', now + day - 1, 'deny', 'ban'],
  ['at its end', now + day, 'monitor', 'default-catalogue'],
])('a rule holds from its first moment to before its end: %s', (_, at, effect, rule) => {
  const rules = [
    { id: 'count', vendors: ['anthropic'], effect: 'monitor', until: now },
    { id: 'ban', vendors: ['anthropic'], from: now, until: now + day },
  ] as const;
  expect(decided({ rules }, {}, at).decision).toMatchObject({ effect, rule });
});

test.each([
  ['before it begins', now - 1, 'ban'],
  ['while it holds', now, 'trial'],
  ['once it has run out', now + day, 'ban'],
])('an exception ends by itself: %s', (_, at, rule) => {
  const policy = {
    rules: [{ id: 'ban', vendors: ['anthropic'] }],
    exceptions: [{ id: 'trial', vendors: ['anthropic'], from: now, until: now + day }],
  };
  expect(decided(policy, {}, at).decision.rule).toBe(rule);
});

test('a denial carries what the rule says of it', () => {
  const rule = {
    vendors: ['anthropic'],
    reason: 'High risk.',
    assistant: 'inhouse',
    manner: 'refuse',
    redirect: 'immediate',
    link: 'https://ask.test/',
    from: now - day,
  } as const;
  const { decision, action } = decided({ rules: [rule] }, {});
  const denial = {
    rule: 'rule-0',
    reason: 'High risk.',
    service: serviceAt('claude.ai'),
    assistant: { id: 'inhouse', name: 'In-house', url: 'https://ai.corp.test/' },
    manner: 'refuse',
    redirect: 'immediate',
    link: 'https://ask.test/',
    since: now - day,
  };
  expect(decision).toEqual({ effect: 'deny', rule: 'rule-0', reason: 'High risk.', denial });
  expect(action).toEqual({ kind: 'refuse', denial });
});

test('a denial that says nothing of it takes the defaults', () => {
  const policy = { rules: [{ vendors: ['anthropic'] }], defaults: { manner: 'reset', redirect: 'immediate' } } as const;
  expect(decided(policy, {}).decision).toMatchObject({
    denial: { assistant: { id: 'qoder' }, manner: 'reset', redirect: 'immediate', link: null, since: null },
  });
  expect(decided({ ...policy, defaultAssistant: null }, {}).decision).toMatchObject({ denial: { assistant: null } });
});

test('a denial of the server name is about the service of that name', () => {
  const policy = { rules: [{ vendors: ['anthropic'] }] };
  const { decision } = decided(policy, { host: 'chatgpt.com', serverName: 'claude.ai' });
  expect(decision).toMatchObject({ denial: { service: { vendor: 'anthropic' } } });
});

test.each([
  ['in a rule', { rules: [{ vendors: ['anthropic'], effect: 'alow' as Effect }] }, 'rule-0'],
  ['in a default', { defaults: { catalogue: 'Allow' as Effect } }, 'default-catalogue'],
  ['that is a name of Object', { rules: [{ vendors: ['anthropic'], effect: 'constructor' as Effect }] }, 'rule-0'],
])('an effect that nobody foresaw denies: %s', (_, policy, rule) => {
  const { decision, action } = decided(policy, {});
  expect(decision).toMatchObject({ effect: 'deny', rule });
  expect(decision.reason).toMatch(/^internal/);
  expect(action.kind).toBe('intercept');
});

test.each([[1], [101], [10_001]])('the same name gets the same among %i rules', (count) => {
  const others = Array.from({ length: count - 1 }, (_, i) => ({
    id: `other-${i}`,
    domains: [`other${i}.test`],
    effect: 'allow' as const,
  }));
  const policy = compile(document({ rules: [...others, { id: 'ban', domains: ['deny.test'] }] }));
  expect(decide(policy, question({ host: 'www.deny.test' }), now).decision).toMatchObject({ rule: 'ban' });
  expect(decide(policy, question({ host: 'ok.test' }), now).decision).toMatchObject({ rule: 'default-unlisted' });
});
