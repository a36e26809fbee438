import { test } from 'vitest';
import { outerDenial } from './questions.ts';
import { expectRow } from './rows.ts';
import type { Row } from './rows.ts';

const twoNames: readonly Row[] = [
  [
    'the tunnel’s own name denies',
    { rules: [{ vendors: ['anthropic'] }] },
    { serverName: 'corp.test' },
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'the server name denies',
    { rules: [{ vendors: ['anthropic'] }] },
    { host: 'corp.test', serverName: 'claude.ai' },
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'the server name denies by refusal, for which it is too late',
    { rules: [{ vendors: ['anthropic'], manner: 'refuse' }] },
    { host: 'corp.test', serverName: 'claude.ai' },
    ['deny', 'rule-0', 'reset'],
  ],
  ['neither denies', {}, { host: 'corp.test', serverName: 'other.test' }, ['deny', 'server-name-mismatch', 'reset']],
  [
    'both are allowed by rules',
    { rules: [{ domains: ['test'], effect: 'allow' }] },
    { host: 'corp.test', serverName: 'other.test' },
    ['deny', 'server-name-mismatch', 'reset'],
  ],
  [
    'a name below the one asked for',
    {},
    { host: 'corp.test', serverName: 'a.corp.test' },
    ['deny', 'server-name-mismatch', 'reset'],
  ],
  ['the same name, or none', {}, { host: 'corp.test', moment: 'hello' }, ['allow', 'default-unlisted', 'tunnel']],
  [
    'a denied tunnel that named nobody else',
    { rules: [{ vendors: ['anthropic'] }] },
    { moment: 'hello' },
    ['deny', 'rule-0', 'intercept'],
  ],
];

const addresses: readonly Row[] = [
  ['an address waits for the hello', {}, { host: '10.1.1.1' }, ['deny', 'default-raw-address', 'listen']],
  ['an IPv6 address does so too', {}, { host: '2001:db8::1' }, ['deny', 'default-raw-address', 'listen']],
  ['the hello names nobody', {}, { host: '10.1.1.1', moment: 'hello' }, ['deny', 'default-raw-address', 'intercept']],
  [
    'the hello names nobody, and that is allowed',
    { defaults: { rawAddress: 'allow' } },
    { host: '10.1.1.1', moment: 'hello' },
    ['allow', 'default-raw-address', 'tunnel'],
  ],
  [
    'an allowed address waits for the hello all the same',
    { defaults: { rawAddress: 'allow' } },
    { host: '10.1.1.1' },
    ['allow', 'default-raw-address', 'listen'],
  ],
  [
    'the hello names a denied host',
    { rules: [{ vendors: ['anthropic'] }], defaults: { rawAddress: 'allow' } },
    { host: '10.1.1.1', serverName: 'claude.ai' },
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'the hello names an allowed host',
    { rules: [{ vendors: ['anthropic'], effect: 'allow' }] },
    { host: '10.1.1.1', serverName: 'claude.ai' },
    ['allow', 'rule-0', 'tunnel'],
  ],
  [
    'a rule names the address and allows it',
    { rules: [{ domains: ['=127.0.0.1'], effect: 'allow' }] },
    { host: '127.0.0.1' },
    ['allow', 'rule-0', 'tunnel'],
  ],
  [
    'a rule names the address and denies it',
    { rules: [{ domains: ['127.0.0.1'] }] },
    { host: '127.0.0.1' },
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'an exception names the address',
    { exceptions: [{ domains: ['=127.0.0.1'] }] },
    { host: '127.0.0.1' },
    ['allow', 'exception-0', 'tunnel'],
  ],
  [
    'a plain request to an address that a rule allows',
    { rules: [{ domains: ['127.0.0.1'], effect: 'allow' }] },
    { host: '127.0.0.1', moment: 'request' },
    ['allow', 'rule-0', 'forward'],
  ],
  [
    'an allowed address may not carry a denied name',
    { rules: [{ domains: ['=127.0.0.1'], effect: 'allow' }, { vendors: ['anthropic'] }] },
    { host: '127.0.0.1', serverName: 'claude.ai' },
    ['deny', 'rule-1', 'intercept'],
  ],
  [
    'a denied address stays so, whatever it names',
    { rules: [{ domains: ['=127.0.0.1'] }] },
    { host: '127.0.0.1', serverName: 'corp.test' },
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'an allowed address may carry a name that is let through',
    { rules: [{ domains: ['=127.0.0.1'], effect: 'allow' }] },
    { host: '127.0.0.1', serverName: 'corp.test' },
    ['allow', 'rule-0', 'tunnel'],
  ],
  [
    'a monitored name on an allowed address is counted',
    { rules: [{ domains: ['=127.0.0.1'], effect: 'allow' }] },
    { host: '127.0.0.1', serverName: 'claude.ai' },
    ['monitor', 'default-catalogue', 'tunnel'],
  ],
  [
    'a rule about everything does not decide before the hello',
    { rules: [{ effect: 'allow' }, { vendors: ['anthropic'] }] },
    { host: '10.1.1.1' },
    ['allow', 'rule-0', 'listen'],
  ],
];

const outer: readonly Row[] = [
  ['a request inside a denied tunnel', {}, { moment: 'request', denied: outerDenial }, ['deny', 'outer', 'block']],
  [
    'a navigation inside a denied tunnel',
    {},
    { moment: 'request', denied: outerDenial, navigation: true },
    ['deny', 'outer', 'redirect'],
  ],
  [
    'an exception does not lift it',
    { exceptions: [{ vendors: ['anthropic'] }] },
    { moment: 'request', denied: outerDenial },
    ['deny', 'outer', 'block'],
  ],
  [
    'another denial does not replace it',
    { rules: [{ vendors: ['anthropic'] }] },
    { moment: 'request', denied: outerDenial },
    ['deny', 'outer', 'block'],
  ],
];

const accounts: readonly Row[] = [
  [
    'an account call inside a tunnel whose rule lets such pass',
    {},
    { moment: 'request', denied: { ...outerDenial, letAccountCallsPass: true }, accountCall: true },
    ['allow', 'outer', 'forward'],
  ],
  [
    'another request in it',
    {},
    { moment: 'request', denied: { ...outerDenial, letAccountCallsPass: true } },
    ['deny', 'outer', 'block'],
  ],
  [
    'an account call where the rule does not say so',
    {},
    { moment: 'request', denied: outerDenial, accountCall: true },
    ['deny', 'outer', 'block'],
  ],
];

test.each(twoNames)('two names: %s', (...row) => expectRow(row));
test.each(addresses)('addresses: %s', (...row) => expectRow(row));
test.each(outer)('the outer denial stands: %s', (...row) => expectRow(row));
test.each(accounts)('account calls: %s', (...row) => expectRow(row));
