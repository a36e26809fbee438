import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { snapshotOf } from '../../src/gateway/snapshot.ts';
import type { Hostname, Question } from '../../src/flow.ts';
import { goodPolicy, withConfig } from '../config/folder.ts';

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
