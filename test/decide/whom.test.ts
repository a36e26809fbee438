/** Groups, sites, risk classes, and the mode in which only what is sanctioned may be used. */
import { describe, expect, test } from 'vitest';
import { decided, expectRow } from './rows.ts';
import type { Row } from './rows.ts';

import { compile } from '../../src/decide/compile.ts';
import { decide } from '../../src/decide/decide.ts';
import { document, now, question, serviceAt } from './questions.ts';

const vendors = ['anthropic'];
const groups = ['research'];
const sites = ['berlin'];

describe('whom a rule is for', () => {
  test.each<Row>([
    [
      'a site is a group of networks',
      { rules: [{ vendors, sites }] },
      { groups: ['berlin'] },
      ['deny', 'rule-0', 'intercept'],
    ],
    [
      'elsewhere it does not exist',
      { rules: [{ vendors, sites }] },
      { groups: ['shanghai'] },
      ['monitor', 'default-catalogue', 'tunnel'],
    ],
    [
      'group and site must both hold',
      { rules: [{ vendors, groups, sites }] },
      { groups: ['research'] },
      ['monitor', 'default-catalogue', 'tunnel'],
    ],
    [
      'as must site and group',
      { rules: [{ vendors, groups, sites }] },
      { groups: ['berlin'] },
      ['monitor', 'default-catalogue', 'tunnel'],
    ],
    [
      'where both do, the rule holds',
      { rules: [{ vendors, groups, sites }] },
      { groups: ['berlin', 'research'] },
      ['deny', 'rule-0', 'intercept'],
    ],
    [
      'a site goes before everyone',
      { rules: [{ vendors }, { vendors, sites, effect: 'allow' }] },
      { groups: ['berlin'] },
      ['allow', 'rule-1', 'tunnel'],
    ],
    [
      'a group at a site goes before the group',
      {
        rules: [
          { vendors, groups },
          { vendors, groups, sites, effect: 'allow' },
        ],
      },
      { groups: ['berlin', 'research'] },
      ['allow', 'rule-1', 'tunnel'],
    ],
    [
      'and before the site',
      {
        rules: [
          { vendors, sites },
          { vendors, groups, sites, effect: 'allow' },
        ],
      },
      { groups: ['berlin', 'research'] },
      ['allow', 'rule-1', 'tunnel'],
    ],
    [
      'between group and site the denial stands',
      {
        rules: [
          { vendors, groups, effect: 'allow' },
          { vendors, sites },
        ],
      },
      { groups: ['berlin', 'research'] },
      ['deny', 'rule-1', 'intercept'],
    ],
    [
      'an exception for a group at a site',
      { rules: [{ vendors }], exceptions: [{ vendors, groups, sites }] },
      { groups: ['berlin'] },
      ['deny', 'rule-0', 'intercept'],
    ],
  ])('%s', (...row) => {
    expectRow(row);
  });
});

describe('risk classes', () => {
  const risks = ['high'];
  const rules = [{ risks }];
  test.each<Row>([
    ['name vendors', { rules, riskClasses: { high: { vendors } } }, {}, ['deny', 'rule-0', 'intercept']],
    [
      'name products',
      { rules, riskClasses: { high: { products: ['anthropic/claude'] } } },
      {},
      ['deny', 'rule-0', 'intercept'],
    ],
    ['name tags', { rules, riskClasses: { high: { tags: ['assistant'] } } }, {}, ['deny', 'rule-0', 'intercept']],
    [
      'name channels',
      { rules, riskClasses: { high: { channels: ['reseller'] } } },
      { host: 'relay.test' },
      ['deny', 'rule-0', 'intercept'],
    ],
    [
      'any one of the fields is enough',
      { rules, riskClasses: { high: { vendors: ['openai'], tags: ['maker'] } } },
      {},
      ['deny', 'rule-0', 'intercept'],
    ],
    [
      'another class is none',
      { rules, riskClasses: { low: { vendors } } },
      {},
      ['monitor', 'default-catalogue', 'tunnel'],
    ],
    [
      'hosts of no catalogue are in none',
      { rules, riskClasses: { high: { vendors } } },
      { host: 'example.com' },
      ['allow', 'default-unlisted', 'tunnel'],
    ],
    [
      'a vendor goes before its class',
      { rules: [...rules, { vendors, effect: 'allow' }], riskClasses: { high: { vendors } } },
      {},
      ['allow', 'rule-1', 'tunnel'],
    ],
    [
      'at the rank of tags the denial stands',
      {
        rules: [{ tags: ['maker'], effect: 'allow' }, ...rules.map((rule) => ({ ...rule, id: 'risk' }))],
        riskClasses: { high: { vendors } },
      },
      {},
      ['deny', 'risk', 'intercept'],
    ],
    [
      'with another field both must hold',
      { rules: [{ risks, channels: ['reseller'] }], riskClasses: { high: { vendors } } },
      {},
      ['monitor', 'default-catalogue', 'tunnel'],
    ],
  ])('%s', (...row) => {
    expectRow(row);
  });

  test('hold for the vendor whose model answers', () => {
    const policy = compile(
      document({
        rules: [
          { id: 'risk', risks },
          { vendors: ['relay'], effect: 'allow' },
        ],
        riskClasses: { high: { vendors } },
      }),
    );
    const relay = serviceAt('relay.test');
    if (relay === null) throw new Error('unreachable');
    const asked = question({ host: 'relay.test' });
    expect(decide(policy, { ...asked, service: { ...relay, model: 'anthropic' } }, now).decision.rule).toBe('risk');
    expect(decide(policy, { ...asked, service: { ...relay, model: 'openai' } }, now).decision.rule).toBe('rule-1');
  });
});

describe('where only what is sanctioned may be used', () => {
  const sanctionedOnly = true;
  const allow = { vendors: ['openai'], effect: 'allow' as const };
  test.each<Row>([
    [
      'a service without a rule is denied',
      { sanctionedOnly, rules: [allow] },
      {},
      ['deny', 'default-sanctioned-only', 'intercept'],
    ],
    [
      'whatever the default is',
      { sanctionedOnly, defaults: { catalogue: 'allow' } },
      {},
      ['deny', 'default-sanctioned-only', 'intercept'],
    ],
    [
      'what is approved goes on',
      { sanctionedOnly, rules: [allow] },
      { host: 'chatgpt.com' },
      ['allow', 'rule-0', 'tunnel'],
    ],
    [
      'what is counted goes on',
      { sanctionedOnly, rules: [{ vendors, effect: 'monitor' }] },
      {},
      ['monitor', 'rule-0', 'tunnel'],
    ],
    [
      'approval for a group is for the group',
      { sanctionedOnly, rules: [{ ...allow, groups }] },
      { host: 'chatgpt.com' },
      ['deny', 'default-sanctioned-only', 'intercept'],
    ],
    ['exceptions hold', { sanctionedOnly, exceptions: [{ vendors }] }, {}, ['allow', 'exception-0', 'tunnel']],
    [
      'other hosts are as they were',
      { sanctionedOnly },
      { host: 'example.com' },
      ['allow', 'default-unlisted', 'tunnel'],
    ],
    ['a denial says its own reason', { sanctionedOnly, rules: [{ vendors }] }, {}, ['deny', 'rule-0', 'intercept']],
  ])('%s', (...row) => {
    expectRow(row);
  });

  test('the reason says so', () => {
    const { decision } = decided({ sanctionedOnly }, {});
    expect(decision.reason).toBe('Only approved AI services may be used, and this one is not approved.');
  });
});
