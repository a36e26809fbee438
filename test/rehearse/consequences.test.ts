import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { consequences } from '../../src/rehearse/consequences.ts';
import type { Consequence } from '../../src/rehearse/consequences.ts';
import type { Judged } from '../../src/rehearse/judge.ts';
import { goodVendor, withConfig } from '../config/folder.ts';

const vendor = `${goodVendor}  - id: api
    name: Acme API
    kind: api
    hosts:
      - { suffix: api.acme-api.test, role: api, source: its site, confidence: verified, checked: 2026-07-10 }
`;

const policy = `groups:
  staff: { networks: 10.0.0.0/8 }
rules:
  - { id: count, vendors: acme, until: 2026-07-10, effect: monitor, reason: Counted. }
  - { id: ban, vendors: acme, from: 2026-07-10, effect: deny, reason: Banned. }
  - { id: staff, products: acme/chat, groups: staff, effect: allow, reason: For staff. }
`;

function read(text: string): Judged {
  return withConfig({ 'policy.yaml': text, 'vendors/acme.yaml': vendor }, (file) => {
    const config = loadConfig(file);
    return { document: config.policy, vendors: config.vendors };
  });
}

function between(from: string, to: string): readonly Consequence[] {
  return consequences(read(from), read(to), Date.UTC(2026, 5, 1));
}

const july = (day: number): number => Date.UTC(2026, 6, day);

test('the same policy has no consequence, and neither has another reason', () => {
  expect(between(policy, policy)).toEqual([]);
  expect(between(policy, policy.replace('Banned.', 'Forbidden.'))).toEqual([]);
});

test('a ban that begins earlier: in between, for whom it is, product by product', () => {
  const [old, now] = [policy, policy.replaceAll('2026-07-10', '2026-07-08')];
  const answers = {
    before: { effect: 'monitor', rule: 'count', pause: null },
    after: { effect: 'deny', rule: 'ban', pause: null },
  };
  const when = { from: july(8), until: july(10) };
  expect(between(old, now)).toEqual([
    { ...answers, what: ['acme/chat'], whom: ['clients in no group'], except: [], ...when },
    { ...answers, what: ['acme/api'], whom: ['everyone'], except: [], ...when },
  ]);
});

test('without the rule for a group, a vendor is meant whole', () => {
  const now = policy.replace(/ {2}- { id: staff.*\n/, '');
  expect(between(policy, now)).toMatchObject([
    {
      what: ['acme/chat'],
      whom: ['staff'],
      before: { rule: 'staff' },
      after: { rule: 'count' },
      from: null,
      until: july(10),
    },
    {
      what: ['acme/chat'],
      whom: ['staff'],
      before: { rule: 'staff' },
      after: { rule: 'ban' },
      from: july(10),
      until: null,
    },
  ]);
  const none = policy.replace(/ {2}- { id: (?:staff|count|ban).*\n/g, '').replace('rules:', 'rules: []');
  expect(between(none, none.replace('rules: []', 'rules: []\ndefaults: { catalogue: deny }'))).toMatchObject([
    { what: ['acme'], whom: ['everyone'], from: null, until: null },
  ]);
});

test('addresses that come into a group or leave it', () => {
  const rows = between(policy, policy.replace('10.0.0.0/8', '[10.0.0.0/8, 192.168.0.0/16]'));
  expect(rows.every(({ what, whom }) => what[0] === 'acme/chat' && whom[0] === '192.168.0.0/16')).toBe(true);
  expect(rows.map(({ after }) => after.rule)).toEqual(['staff', 'staff']);
});

test('hosts of rules, hosts in no list, and addresses', () => {
  const now = policy
    .replace('rules:', 'rules:\n  - { id: own, domains: =tool.test, effect: deny, reason: No. }')
    .concat('defaults: { unlisted: monitor, raw_address: allow }\n');
  expect(
    between(policy, now)
      .map(({ what, after }) => `${what.join()}: ${after.effect}`)
      .toSorted(),
  ).toEqual([
    'addresses without a name: allow',
    'host =tool.test: deny',
    'hosts that neither a rule nor the catalogue names: monitor',
  ]);
});
