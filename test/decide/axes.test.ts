/**
 * The vendor that runs a host and the one whose model answers are judged by the same rules, and the stricter stands.
 */
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/decide/compile.ts';
import { consider } from '../../src/decide/consider.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Hostname, Question, Service } from '../../src/flow.ts';
import { day, document, now } from './questions.ts';
import type { PolicyGiven } from './questions.ts';

const service: Service = {
  vendor: 'aws',
  vendorName: 'Amazon',
  product: 'bedrock',
  productName: 'Bedrock',
  kind: 'cloud-resale',
  channel: 'cloud',
  wire: 'bedrock',
  role: 'api',
  tags: ['model-api'],
};

function ask(parts: Pick<Service, 'model' | 'operator'>, groups: readonly string[] = []): Question {
  return {
    moment: 'request',
    client: { address: '10.0.0.1', user: null, groups: new Set(groups) },
    target: { host: 'bedrock.test' as Hostname, kind: 'name', port: 443 },
    service: { ...service, ...parts },
    serverName: null,
    navigation: false,
    denied: null,
  };
}

const claude = { model: 'anthropic' };
const hosted = { operator: 'google' };
const unknown = { model: null };

type Case = readonly [why: string, policy: PolicyGiven, question: Question, effect: string, rule: string];

const denyModel = { id: 'ban', vendors: ['anthropic'], effect: 'deny' } as const;
const allowCloud = { id: 'cloud', vendors: ['aws'], effect: 'allow' } as const;

const cases: readonly Case[] = [
  ['a denial of the maker holds', { rules: [denyModel] }, ask(claude), 'deny', 'ban'],
  ['an allowed cloud does not lift it', { rules: [allowCloud, denyModel] }, ask(claude), 'deny', 'ban'],
  [
    'nor does a rule for the product',
    { rules: [{ id: 'p', products: ['aws/bedrock'], effect: 'allow' }, denyModel] },
    ask(claude),
    'deny',
    'ban',
  ],
  [
    'nor a rule for the host',
    { rules: [{ id: 'h', domains: ['=bedrock.test'], effect: 'allow' }, denyModel] },
    ask(claude),
    'deny',
    'ban',
  ],
  [
    'nor an exception for the cloud',
    { rules: [denyModel], exceptions: [{ vendors: ['aws'] }] },
    ask(claude),
    'deny',
    'ban',
  ],
  [
    'an exception for the maker does',
    { rules: [denyModel], exceptions: [{ vendors: ['anthropic'] }] },
    ask(claude),
    'allow',
    'exception-0',
  ],
  [
    'one for the maker in the cloud does too',
    { rules: [denyModel], exceptions: [{ vendors: ['anthropic'], channels: ['cloud'] }] },
    ask(claude),
    'allow',
    'exception-0',
  ],
  [
    'an exception for the maker does not lift a denial of the cloud',
    { rules: [{ id: 'c', vendors: ['aws'] }], exceptions: [{ vendors: ['anthropic'] }] },
    ask(claude),
    'deny',
    'c',
  ],
  [
    'a denied cloud stays denied with an allowed maker',
    {
      rules: [
        { id: 'c', vendors: ['aws'] },
        { vendors: ['anthropic'], effect: 'allow' },
      ],
    },
    ask(claude),
    'deny',
    'c',
  ],
  [
    'a rule for the maker is one for the service',
    { rules: [{ ...denyModel, effect: 'allow' }] },
    ask(claude),
    'allow',
    'ban',
  ],
  [
    'a watched maker is watched in an allowed cloud',
    { rules: [allowCloud, { ...denyModel, effect: 'monitor' }] },
    ask(claude),
    'monitor',
    'ban',
  ],
  ['another maker is not meant', { rules: [allowCloud, denyModel] }, ask({ model: 'meta' }), 'allow', 'cloud'],
  [
    'a rule for tags is not one for the maker',
    { rules: [{ tags: ['maker'] }] },
    ask(claude),
    'monitor',
    'default-catalogue',
  ],
  ['who runs the host is judged too', { rules: [{ id: 'g', vendors: ['google'] }] }, ask(hosted), 'deny', 'g'],
  [
    'a rule of a group holds for its clients',
    { rules: [{ ...denyModel, groups: ['research'] }] },
    ask(claude, ['research']),
    'deny',
    'ban',
  ],
  [
    'and for nobody else',
    { rules: [{ ...denyModel, groups: ['research'] }, allowCloud] },
    ask(claude),
    'allow',
    'cloud',
  ],
  [
    'a rule that has ended is none',
    { rules: [{ ...denyModel, until: now - day }, allowCloud] },
    ask(claude),
    'allow',
    'cloud',
  ],
  ['an unknown maker follows the channel', { rules: [denyModel, allowCloud] }, ask(unknown), 'allow', 'cloud'],
  ['or the default for the catalogue', { rules: [denyModel] }, ask(unknown), 'monitor', 'default-catalogue'],
  [
    'or the one for unknown makers',
    { rules: [denyModel], defaults: { unknownModel: 'deny' } },
    ask(unknown),
    'deny',
    'default-unknown-model',
  ],
  [
    'which is for nothing else',
    { defaults: { unknownModel: 'deny' } },
    ask({ model: 'meta' }),
    'monitor',
    'default-catalogue',
  ],
];

describe('the stricter of the axes stands', () => {
  test.each(cases)('%s', (_, policy, question, effect, rule) => {
    const { decision } = decide(compile(document(policy)), question, now);
    expect([decision.effect, decision.rule]).toEqual([effect, rule]);
  });

  test.each(cases)('%s, and it is explained so', (_, policy, question, effect, rule) => {
    const rows = consider(compile(document(policy)), question, now);
    const winners = rows.filter(({ verdict }) => verdict === 'won');
    expect(winners.map(({ id, effect }) => [effect, id])).toEqual([[effect, rule]]);
    expect(rows[0]).toBe(winners[0]);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    expect(rows.every(({ why }) => why !== '')).toBe(true);
  });
});

test('the denial speaks of the service that was asked for', () => {
  const { decision } = decide(compile(document({ rules: [denyModel] })), ask(claude), now);
  expect(decision.effect === 'deny' && decision.denial.service?.vendor).toBe('aws');
});

test('an explanation names the vendor that has a part in it', () => {
  const [won, lost] = consider(compile(document({ rules: [allowCloud, denyModel] })), ask(claude), now);
  expect(won?.why).toBe('the strongest that applies; it names the vendor anthropic; anthropic has a part in it');
  expect(lost?.why).toBe('ban is about another vendor that has a part in it, and the stricter of the two wins');
});
