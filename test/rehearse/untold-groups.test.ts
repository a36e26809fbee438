import { expect, test } from 'vitest';
import type { PolicyDocument } from '../../src/flow.ts';
import { loadConfig } from '../../src/config/load.ts';
import { untoldGroups } from '../../src/rehearse/untold-groups.ts';
import { withConfig } from '../config/folder.ts';

function policyOf(text: string): PolicyDocument {
  return withConfig({ 'policy.yaml': text }, (file) => loadConfig(file).policy);
}

const groups = `groups:
  design: { forwarded: Chip Design }
  both: { forwarded: Both, networks: 10.0.0.0/8 }
  named: { users: ada }
  unused: { forwarded: Nobody }
`;
const rule = (group: string): string =>
  `rules: [{ id: a, vendors: acme, groups: [${group}, named], effect: deny, reason: x }]\n`;

test('those that rules or exceptions name, of all policies, each once', () => {
  const one = policyOf(groups + rule('design'));
  const exception = '[{ id: b, vendors: acme, groups: both, until: 2099-01-01, approved_by: CISO, reason: x }]';
  const other = policyOf(`${groups}${rule('design')}exceptions: ${exception}\n`);
  expect(untoldGroups([one])).toEqual(['design']);
  expect(untoldGroups([one, other])).toEqual(['both', 'design']);
  expect(untoldGroups([policyOf(groups + rule('named'))])).toEqual([]);
});
