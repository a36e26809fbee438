import { expect, test } from 'vitest';
import { compile } from '../../src/decide/compile.ts';
import { decide } from '../../src/decide/decide.ts';
import { deniedAddresses, isAtHome, mayDenyAt } from '../../src/decide/dialled.ts';
import type { Hostname, Located, Service } from '../../src/flow.ts';
import { day, document, now, outerDenial, question, serviceAt, type PolicyGiven } from './questions.ts';

/** An address of the vendor of claude.ai, of one that nothing is known of but a rule, and of chatgpt.com. */
const claude: Located = { host: '192.0.2.1' as Hostname, service: serviceAt('claude.ai') };
const spot: Located = { host: '192.0.2.9' as Hostname, service: null };
const chatgpt: Located = { host: '192.0.2.2' as Hostname, service: serviceAt('chatgpt.com') };

const ban = { vendors: ['anthropic'] } as const;
const mine = { domains: ['mine.test'], effect: 'allow' } as const;

test.each<[string, PolicyGiven, string, readonly Located[], string, string]>([
  ['a denied vendor', { rules: [ban] }, 'mine.test', [claude], 'deny', 'rule-0'],
  ['one of two', { rules: [ban] }, 'mine.test', [chatgpt, claude], 'deny', 'rule-0'],
  ['a vendor that is not denied', { rules: [ban] }, 'mine.test', [chatgpt], 'allow', 'default-unlisted'],
  ['a denied class', { rules: [{ tags: ['assistant'] }] }, 'mine.test', [claude], 'deny', 'rule-0'],
  [
    'an AI service in sanctioned-only mode',
    { sanctionedOnly: true },
    'mine.test',
    [claude],
    'deny',
    'default-sanctioned-only',
  ],
  ['a denied default', { defaults: { catalogue: 'deny' } }, 'mine.test', [claude], 'deny', 'default-catalogue'],
  ['a name that a rule allows', { rules: [ban, mine] }, 'mine.test', [claude], 'allow', 'rule-1'],
  [
    'a name that a rule counts',
    { rules: [ban, { ...mine, effect: 'monitor' }] },
    'mine.test',
    [claude],
    'monitor',
    'rule-1',
  ],
  [
    'a name that an exception allows',
    { rules: [ban], exceptions: [{ domains: ['mine.test'] }] },
    'mine.test',
    [claude],
    'allow',
    'exception-0',
  ],
  [
    'a vendor that an exception allows',
    { rules: [ban], exceptions: [ban] },
    'mine.test',
    [claude],
    'allow',
    'default-unlisted',
  ],
  [
    'a vendor that is paused',
    { rules: [ban], pauses: [{ vendor: 'anthropic', from: now, until: now + day }] },
    'mine.test',
    [claude],
    'allow',
    'default-unlisted',
  ],
  [
    'a rule that is for a class',
    { rules: [ban, { tags: ['relay'], effect: 'allow' }] },
    'relay.test',
    [claude],
    'deny',
    'rule-0',
  ],
  [
    'another vendor that is allowed',
    { rules: [ban, { vendors: ['relay'], effect: 'allow' }] },
    'relay.test',
    [claude],
    'allow',
    'rule-1',
  ],
  [
    'the same vendor',
    { rules: [{ products: ['anthropic/api'] }] },
    'claude.ai',
    [{ ...claude, service: { ...outerService(), product: 'api' } }],
    'monitor',
    'default-catalogue',
  ],
  ['an address that a rule denies', { rules: [{ domains: ['192.0.2.9'] }] }, 'mine.test', [spot], 'deny', 'rule-0'],
  [
    'an address that is denied to somebody else',
    { rules: [{ domains: ['192.0.2.9'], groups: ['design'] }], defaults: { rawAddress: 'deny' } },
    'mine.test',
    [spot],
    'allow',
    'default-unlisted',
  ],
  [
    'a name that is allowed at an address that is denied',
    { rules: [{ domains: ['192.0.2.9'] }, mine] },
    'mine.test',
    [spot],
    'deny',
    'rule-0',
  ],
  [
    'an exception at an address that is denied',
    { rules: [{ domains: ['192.0.2.9'] }], exceptions: [{ domains: ['mine.test'] }] },
    'mine.test',
    [spot],
    'allow',
    'exception-0',
  ],
  [
    'a raw address, which was judged',
    { rules: [{ domains: ['192.0.2.1'], effect: 'allow' }, ban] },
    '192.0.2.1',
    [claude],
    'allow',
    'rule-0',
  ],
])('%s', (_what, policy, host, dialled, effect, rule) => {
  const { decision } = decide(compile(document(policy)), { ...question({ host }), dialled }, now);
  expect([decision.effect, decision.rule]).toEqual([effect, rule]);
});

function outerService(): Service {
  const service = serviceAt('claude.ai');
  if (service === null) throw new Error('unreachable');
  return service;
}

test('the denial names the service at the address, in the manner of its rule', () => {
  const policy = compile(document({ rules: [{ ...ban, manner: 'refuse' }] }));
  const { decision, action } = decide(policy, { ...question({ host: 'mine.test' }), dialled: [claude] }, now);
  expect(action.kind).toBe('refuse');
  expect(decision).toMatchObject({ denial: { service: { vendor: 'anthropic' }, rule: 'rule-0' } });
});

test('an account call that the outer denial lets pass does, at whatever address', () => {
  const denied = { ...outerDenial, letAccountCallsPass: true };
  const asked = { ...question({ moment: 'request', denied, accountCall: true }), dialled: [claude] };
  expect(decide(compile(document({ rules: [ban] })), asked, now).decision.effect).toBe('allow');
});

test.each<[string, PolicyGiven, boolean]>([
  ['nothing is denied', {}, false],
  ['another vendor is denied', { rules: [{ vendors: ['openai'] }] }, false],
  ['the vendor is allowed', { rules: [{ ...ban, effect: 'allow' }] }, false],
  ['the vendor is denied, for some and later', { rules: [{ ...ban, groups: ['design'], from: now + day }] }, true],
  ['a class is denied', { rules: [{ channels: ['direct'] }] }, true],
  ['the default denies', { defaults: { catalogue: 'deny' } }, true],
  ['only what is approved is allowed', { sanctionedOnly: true }, true],
])('whether addresses need a look where %s', (_what, policy, needed) => {
  expect(mayDenyAt(compile(document(policy)), [outerService()])).toBe(needed);
  expect(mayDenyAt(compile(document(policy)), [])).toBe(false);
});

test('the addresses that denials name', () => {
  const rules = [
    { domains: ['192.0.2.9', '=192.0.2.8', '2001:db8::1', 'a.test', '=b.test'] },
    { domains: ['192.0.2.7'], effect: 'allow' as const },
  ];
  expect([...deniedAddresses(document({ rules }))]).toEqual(['192.0.2.9', '192.0.2.8', '2001:db8::1']);
});

test.each([
  ['sells what the name is', { vendor: 'acme' }, true],
  ['runs the host', { operator: 'acme' }, true],
  ['made the model that answers', { model: 'acme' }, true],
  ['has no part in it', {}, false],
])('the vendor of the address %s', (_, part, home) => {
  const service = serviceAt('claude.ai');
  if (service === null) throw new Error('claude.ai is not in the catalogue');
  expect(isAtHome({ ...service, ...part }, { ...service, vendor: 'acme' })).toBe(home);
  expect(isAtHome(null, { ...service, vendor: 'acme' })).toBe(false);
});
