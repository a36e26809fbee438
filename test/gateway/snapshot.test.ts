import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { snapshotOf } from '../../src/gateway/snapshot.ts';
import type { Hostname, Question } from '../../src/flow.ts';
import { goodPolicy, goodVendor, withConfig } from '../config/folder.ts';

const question = (address: string): Question => ({
  moment: 'connect',
  client: { address, user: null, groups: new Set() },
  target: { host: 'acme.test' as Hostname, kind: 'name', port: 443 },
  service: null,
  serverName: null,
  navigation: false,
  denied: null,
});

test.each([
  ['10.0.0.7', 'refuse'],
  ['10.0.0.8', 'intercept'],
])('a denial for %s, when only 10.0.0.7 refuses leaves: %s', (address, action) => {
  const policy = goodPolicy.replace('vendors: acme', 'domains: acme.test');
  const config = withConfig({ 'policy.yaml': policy }, loadConfig);
  const snapshot = snapshotOf(config, (client) => client === '10.0.0.7');
  const decided = snapshot.decide(question(address), Date.now());
  expect(decided).toMatchObject({ decision: { effect: 'deny', rule: 'ban' }, action: { kind: action } });
});

test('nobody is sent to an assistant that is denied to them', () => {
  const there = goodPolicy.replace('https://ai.corp.test/', 'https://chat.acme.test/');
  const elsewhere = '  - { id: other, domains: acme.example, effect: deny, reason: No. }\n';
  const config = withConfig({ 'policy.yaml': `default_assistant: inhouse\n${there}${elsewhere}` }, loadConfig);
  const asked = question('10.0.0.8');
  const target = { ...asked.target, host: 'acme.example' as Hostname };
  const { decision } = snapshotOf(config, () => false).decide({ ...asked, target }, Date.now());
  expect(decision).toMatchObject({ effect: 'deny', rule: 'other', denial: { assistant: null } });
});

test.each([
  ['no vendor with addresses of its own is denied', 'effect: deny', 'effect: monitor', false],
  ['one is', '', '', true],
])('addresses are looked at where %s', (_what, from, to, looked) => {
  const own = '    addresses: { blocks: 192.0.2.0/24, source: its site, confidence: verified, checked: 2026-07-10 }\n';
  const files = {
    'policy.yaml': goodPolicy.replace(from, to),
    'vendors/acme.yaml': goodVendor + own.replace('{', '[{').replace('}', '}]'),
  };
  const { locate } = snapshotOf(withConfig(files, loadConfig), () => false);
  expect(locate !== null).toBe(looked);
  if (locate === null) return;
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '64:ff9b::c000:201', '64:ff9b::192.0.2.1'])
    expect(locate(address)).toMatchObject({ host: '192.0.2.1', service: { vendor: 'acme' } });
  expect(locate('192.0.3.1')).toBeNull();
  expect(locate('192.0.2.1')).toBe(locate('192.0.2.1'));
});
