import { describe, expect, test } from 'vitest';
import { lint } from '../../src/config/lint.ts';
import { loadConfig } from '../../src/config/load.ts';
import { complaint, withConfig } from './folder.ts';
import type { Files } from './folder.ts';

const vendor = (calls: string): string => `id: tools
name: Tools
products:
  - { id: api, name: API, kind: api, hosts: [{ suffix: api.test, role: api, source: x, confidence: list }] }
  - { id: chat, name: Chat, kind: chat, hosts: [{ suffix: chat.test, role: app, source: x, confidence: list }] }
  - id: code
    name: Code
    kind: coding-agent
    model_calls: ${calls}
    hosts: [{ suffix: code.test, role: update, source: x, confidence: list }]
`;

function files(policy: string, calls = 'tools/api'): Files {
  const groups = 'groups: { a: { networks: 10.1.0.0/16 }, b: { networks: 10.2.0.0/16 } }\n';
  return { 'policy.yaml': `${groups}${policy}`, 'vendors/tools.yaml': vendor(calls) };
}

function warnings(given: Files): string[] {
  return withConfig(given, (file) => lint(loadConfig(file), 0).map(({ message }) => message));
}

const rules = (...lines: readonly string[]): string =>
  `rules:\n${lines.map((line, i) => `  - { id: r${i}, effect: deny, reason: x, ${line} }\n`).join('')}`;

const said =
  'the rule "r0" does not stop what it names: tools/code calls its model at hosts of tools/api; deny tools/api as well';

test.each([
  ['the product', rules('products: tools/code')],
  ['its kind', rules('tags: coding-agent')],
  [
    'the product, and for others what it asks',
    rules('products: tools/code, groups: a', 'products: tools/api, groups: b'),
  ],
  [
    'the product for everybody, and for some what it asks',
    rules('products: tools/code', 'products: tools/api, groups: a'),
  ],
  [
    'the product, and one host of what it asks',
    rules('products: tools/code', 'products: tools/api, domains: x.api.test'),
  ],
  [
    'the product, in front of an allow',
    `${rules('products: tools/code')}  - { id: s, effect: allow, products: tools/api, reason: x }\n`,
  ],
])('warns of a denial of %s', (_, policy) => {
  expect(warnings(files(policy))).toEqual([said]);
});

describe('is silent about', () => {
  test.each([
    ['a denial of both', rules('products: [tools/code, tools/api]')],
    ['a denial of each', rules('products: tools/code, groups: a', 'products: tools/api')],
    ['a denial of the vendor', rules('vendors: tools')],
    ['a denial of what has no other', rules('products: tools/chat')],
    ['an allow', 'rules: [{ id: r, effect: allow, products: tools/code, reason: x }]\n'],
    ['one of its hosts', rules('products: tools/code, domains: code.test')],
    ['a catalogue that is denied', `defaults: { catalogue: deny }\n${rules('products: tools/code')}`],
    ['a policy that allows what it approves', `mode: sanctioned-only\n${rules('products: tools/code')}`],
  ])('%s', (_, policy) => {
    expect(warnings(files(policy))).toEqual([]);
  });

  test('a tool one of whose two ways is denied', () => {
    const calls = '[tools/api, tools/chat]';
    expect(warnings(files(rules('products: [tools/code, tools/chat]'), calls))).toEqual([]);
    expect(warnings(files(rules('products: tools/code'), calls))).toHaveLength(1);
  });
});

test('what is asked must be a product', () => {
  expect(complaint(files('', 'tools/apj'))).toBe(
    'vendors/tools.yaml:9:18: unknown product "tools/apj"; did you mean "tools/api"?',
  );
});
