import { expect, test } from 'vitest';
import { expectKind, hasKeysOf } from '../../src/config/which-file.ts';

const policy = { time_zone: 'UTC', rules: [], exceptions: [] };
const settings = { listen: { proxy: '127.0.0.1:3128' }, exceptions: 'made.jsonl' };

test.each([
  ['policy', policy, true],
  ['settings', policy, false],
  ['policy', settings, false],
  ['settings', settings, true],
  ['policy', { exceptions: [] }, false],
  ['settings', null, false],
] as const)('keys of a %s in %j: %s', (kind, value, has) => expect(hasKeysOf(kind, value)).toBe(has));

test('a policy in the place of the configuration is told in one line, with what to write', () => {
  expect(() => expectKind('settings', { file: '/x/policy.yaml', value: policy })).toThrow(
    '/x/policy.yaml: this is a policy, but a sallyport.yaml is needed here; name that with -c, and a policy with --policy (check, explain)',
  );
});

test('a configuration in the place of the policy is told in one line', () => {
  expect(() => expectKind('policy', { file: '/x/sallyport.yaml', value: settings })).toThrow(
    '/x/sallyport.yaml: this is a sallyport.yaml, but a policy is needed here; name the policy, and this file with -c',
  );
});

test.each([policy, {}, null, { rulse: [] }, { ...policy, listen: {} }])('%j may be a policy with mistakes', (value) => {
  expect(() => expectKind('policy', { file: '/x/policy.yaml', value })).not.toThrow();
});
