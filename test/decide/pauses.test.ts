import { expect, test } from 'vitest';
import { compile, withExceptions } from '../../src/decide/compile.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Service } from '../../src/flow.ts';
import { day, document, now, outerDenial, question, services } from './questions.ts';
import type { PolicyGiven, QuestionGiven } from './questions.ts';

const anthropic = { vendor: 'anthropic', from: now - day, until: now + day } as const;
const everything = { ...anthropic, vendor: null } as const;
const ban = { vendors: ['anthropic'] } as const;

/** `effect rule exception`. */
function said(policy: PolicyGiven, asked: QuestionGiven = {}, service?: Service): string {
  const ask = question(asked);
  const { decision } = decide(compile(document(policy)), service === undefined ? ask : { ...ask, service }, now);
  const exception = decision.effect === 'deny' ? undefined : decision.exception;
  return [decision.effect, decision.rule, exception].filter((part) => part !== undefined).join(' ');
}

const cloud: Service = {
  ...(services['claude.ai'] as Service),
  vendor: 'amazon',
  product: 'bedrock',
  channel: 'cloud',
  model: 'anthropic',
};

test.each<[sentence: string, policy: PolicyGiven, question: QuestionGiven, service: Service | undefined, said: string]>(
  [
    ['lifts a denial', { rules: [ban], pauses: [anthropic] }, {}, undefined, 'monitor rule-0 pause-0'],
    ['of everything', { rules: [ban], pauses: [everything] }, {}, undefined, 'monitor rule-0 pause-0'],
    [
      'of a domain',
      { rules: [{ domains: ['claude.ai'] }], pauses: [anthropic] },
      {},
      undefined,
      'monitor rule-0 pause-0',
    ],
    [
      'by default',
      { defaults: { catalogue: 'deny' }, pauses: [anthropic] },
      {},
      undefined,
      'monitor default-catalogue pause-0',
    ],
    ['of its model elsewhere', { rules: [ban], pauses: [anthropic] }, {}, cloud, 'monitor rule-0 pause-0'],
    ['not of the cloud', { rules: [{ channels: ['cloud'] }], pauses: [anthropic] }, {}, cloud, 'deny rule-0'],
    ['not of the model', { rules: [ban], pauses: [{ ...anthropic, vendor: 'amazon' }] }, {}, cloud, 'deny rule-0'],
    [
      'not of others',
      { rules: [{ vendors: ['openai'] }], pauses: [anthropic] },
      { host: 'chatgpt.com' },
      undefined,
      'deny rule-0',
    ],
    [
      'not of what is no AI service',
      { rules: [{ domains: ['corp.test'] }], pauses: [everything] },
      { host: 'corp.test' },
      undefined,
      'deny rule-0',
    ],
    [
      'not of raw addresses',
      { pauses: [everything] },
      { host: '10.1.1.1', moment: 'request' },
      undefined,
      'deny default-raw-address',
    ],
    ['not before it begins', { rules: [ban], pauses: [{ ...anthropic, from: now + 1 }] }, {}, undefined, 'deny rule-0'],
    ['not once it ended', { rules: [ban], pauses: [{ ...anthropic, until: now }] }, {}, undefined, 'deny rule-0'],
    [
      'the next where one ended',
      { rules: [ban], pauses: [{ ...anthropic, until: now }, anthropic] },
      {},
      undefined,
      'monitor rule-0 pause-1',
    ],
    [
      'and leaves alone what is allowed',
      { rules: [{ ...ban, effect: 'allow' }], pauses: [anthropic] },
      {},
      undefined,
      'allow rule-0',
    ],
    [
      'and what an exception allows',
      { rules: [ban], exceptions: [ban], pauses: [anthropic] },
      {},
      undefined,
      'allow exception-0 exception-0',
    ],
    [
      'and a tunnel that was denied',
      { rules: [ban], pauses: [anthropic] },
      { moment: 'request', denied: outerDenial },
      undefined,
      'deny outer',
    ],
    [
      'and two names in one tunnel',
      { pauses: [everything] },
      { host: 'corp.test', serverName: 'claude.ai' },
      undefined,
      'deny server-name-mismatch',
    ],
  ],
)('%s', (_, policy, asked, service, expected) => {
  expect(said(policy, asked, service)).toBe(expected);
});

test('exceptions and pauses are exchanged without a look at the rules', () => {
  const before = compile(document({ rules: [ban] }));
  const after = withExceptions(before, document({ rules: [ban], exceptions: [ban], pauses: [anthropic] }));
  expect(after.rules).toBe(before.rules);
  expect(decide(before, question(), now).decision.effect).toBe('deny');
  expect(decide(after, question(), now).decision).toMatchObject({ effect: 'allow', exception: 'exception-0' });
  expect(decide(withExceptions(after, document({ rules: [ban] })), question(), now).decision.effect).toBe('deny');
});
