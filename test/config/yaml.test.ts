import { describe, expect, test } from 'vitest';
import { readYaml } from '../../src/config/yaml.ts';
import { complaint, goodPolicy } from './folder.ts';
import type { Files } from './folder.ts';

type Case = readonly [name: string, files: Files, line: string];

const broken: readonly Case[] = [
  [
    'an unclosed list',
    { 'policy.yaml': 'rules: [\n  a: b\n' },
    'policy.yaml:3:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; check indentation, colons and quotes',
  ],
  [
    'crooked indentation',
    { 'policy.yaml': 'rules:\n  - id: a\n   effect: deny\n' },
    'policy.yaml:3:1: not valid YAML: Sequence item without - indicator; check indentation, colons and quotes',
  ],
  [
    'one line of many that is indented too deep',
    { 'policy.yaml': `${goodPolicy.replace('    vendors', '     vendors')}  - { id: b, vendors: acme }\n` },
    'policy.yaml:6:9: the next line is indented as if it belonged to this value; align it with the lines around it',
  ],
  [
    'several lines that do not line up',
    {
      'policy.yaml':
        'rules:\n- id: a\n  vendors: acme\n effect: deny\n  reason: x\ngroups:\n  a: { networks: [1.2.3.4 }\n',
    },
    'policy.yaml:4:1: not valid YAML: Sequence item without - indicator; check indentation, colons and quotes',
  ],
  [
    'text with a colon',
    { 'policy.yaml': goodPolicy.replace('Because.', 'Claude: until July') },
    'policy.yaml:9:13: text with a colon in it is read as a key; put the text in quotes, or the key on its own line',
  ],
  [
    'an unclosed quote',
    { 'policy.yaml': 'rules: "abc\n' },
    'policy.yaml:2:1: not valid YAML: Missing closing "quote; check indentation, colons and quotes',
  ],
  [
    'a tab',
    { 'policy.yaml': 'defaults:\n\tunlisted: allow\n' },
    'policy.yaml:2:1: a tab is used for indentation; use spaces',
  ],
  [
    'tabs, and what they make of the lines below',
    { 'policy.yaml': goodPolicy.replaceAll('    ', '\t').replaceAll('  ', '\t') },
    'policy.yaml:2:1: a tab is used for indentation; use spaces',
  ],
  [
    'the key __proto__',
    { 'policy.yaml': goodPolicy.replace('staff', '__proto__') },
    'policy.yaml:4:3: the key "__proto__" is not supported; remove it',
  ],
  [
    'a merge key',
    { 'policy.yaml': goodPolicy.replace('    effect', '    <<: {a: b}\n    effect') },
    'policy.yaml:8:5: the merge key "<<" is not supported; write the keys out',
  ],
  [
    'a tag',
    { 'policy.yaml': goodPolicy.replace('Because.', '!secret x') },
    'policy.yaml:9:13: tags such as !name are not supported; write a plain value',
  ],
  [
    'two documents',
    { 'policy.yaml': goodPolicy + '---\n' + goodPolicy },
    'policy.yaml:10:1: a second document begins here; keep one document, without "---"',
  ],
  [
    'an alias bomb',
    { 'policy.yaml': 'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n' },
    'policy.yaml:2:8: the alias *a is not supported; write out what &a stands for (and 3 more)',
  ],
  [
    'a star that no anchor is meant by',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'domains: *acme') },
    'policy.yaml:7:14: text that begins with * is an alias, which is not supported; put it in quotes',
  ],
  [
    'a YAML directive',
    { 'policy.yaml': '%YAML 1.1\n---\n' + goodPolicy.replace('Because.', '2026-01-01') },
    'policy.yaml:1:1: the directive %YAML is not supported; remove the line',
  ],
  [
    'bytes that are no UTF-8',
    { 'policy.yaml': Uint8Array.of(0x72, 0xff, 0xfe) },
    'policy.yaml: the file is not UTF-8; save it as UTF-8',
  ],
  [
    '10,000 open brackets',
    { 'policy.yaml': 'a: ' + '['.repeat(10000) },
    'policy.yaml:1:54: nested more than 50 levels deep; flatten it',
  ],
  [
    '10,000 pairs of brackets',
    { 'policy.yaml': 'a:\n b: ' + '['.repeat(10000) + ']'.repeat(10000) },
    'policy.yaml:2:55: nested more than 50 levels deep; flatten it',
  ],
  [
    '10,000 nested list items',
    { 'policy.yaml': '- '.repeat(10000) + 'x' },
    'policy.yaml:1:101: nested more than 50 levels deep; flatten it',
  ],
  [
    '10,000 nested keys',
    { 'policy.yaml': '? '.repeat(10000) + 'x' },
    'policy.yaml:1:101: nested more than 50 levels deep; flatten it',
  ],
  [
    'ten megabytes',
    { 'policy.yaml': '# '.padEnd(10_000_000, 'x') },
    'policy.yaml: the file has 10000000 bytes; configuration files may have 1048576; put long "domains" of a policy into files of their own, which it names under "lists"',
  ],
];

describe('YAML is refused with its line', () => {
  test.each(broken)('%s', (_, files, line) => {
    const start = performance.now();
    expect(complaint(files)).toBe(line);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test.each([
    [
      'half a million commas',
      `a: [${'x,'.repeat(500_000)}]`,
      /^policy\.yaml:1:\d+: far too many values for one file; put long "domains" of a policy into files of their own, which it names under "lists"$/,
    ],
    [
      '1400 nested keys',
      Array.from({ length: 1400 }, (__, i) => `${' '.repeat(i)}a:`).join('\n'),
      /^policy\.yaml:502:1: nested/,
    ],
    [
      '80,000 keys',
      Array.from({ length: 80_000 }, (__, i) => `k${i}: 1`).join('\n'),
      /^policy\.yaml:1:1: unknown key "k0"; .* \(and 99 more\)$/,
    ],
  ])('%s, soon', (_, text, line) => {
    const start = performance.now();
    expect(complaint({ 'policy.yaml': text })).toMatch(line);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('a file that may not be read, or is none', () => {
    expect(() => readYaml('/nowhere/at/all.yaml')).toThrow(
      '/nowhere/at/all.yaml: there is no such file; create it, or correct the path',
    );
    expect(() => readYaml('/')).toThrow('/: this is a folder; name the file in it');
  });
});
