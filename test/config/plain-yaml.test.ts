import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parsePlain } from '../../src/config/plain-yaml.ts';
import { parseYaml } from '../../src/config/yaml.ts';

test.each([
  ['a: b\n', { a: 'b' }],
  ['# note\na: b # c\n', { a: 'b' }],
  ['a: # c\n  b: [c, d] # e\n  f: "g # h" # i\n', undefined],
  ["a: # c\n  b: [c, 'd # e'] # f\n", undefined],
  ["a: # c\n  b: [c, 'd'] # e\n  # f\n  g: 'h # i'\n", { a: { b: ['c', 'd'], g: 'h # i' } }],
  ['a: b#c\n', { a: 'b#c' }],
  ["a: [b] # such as [c]\nd: 'e' # it's\nf: g # 'h'\n", { a: ['b'], d: 'e', f: 'g' }],
  ["a: 'b' # c\nd: 'e # f'\n", { a: 'b', d: 'e # f' }],
  ['a: 127.0.0.1\nb: [1.2.3, 10.0.0.0/8]\n', { a: '127.0.0.1', b: ['1.2.3', '10.0.0.0/8'] }],
  ['a:\n- b # c\n- # d\n  e: f\ng: h  \n', { a: ['b', { e: 'f' }], g: 'h' }],
  ['a: >-\n  b\n\nc: d\n', { a: 'b', c: 'd' }],
  ['a: >-\n  b\n# c\n', { a: 'b' }],
  ['a: >-\n  b\n  # c\n', undefined],
  ['a: >-\n  b\n\n  c\n', undefined],
  ['a: >-\n  b\n   \n', undefined],
  ['a: >-\n  b\n  # c\n  d\n', undefined],
  ['a: >-\n\n  b\n', undefined],
  ['a: 0\nb: -15\nc: 3600 # s\nd: [1, 2]\n', { a: 0, b: -15, c: 3600, d: [1, 2] }],
  ['a:\n  - b\n  - c: d\n    e: f\n', { a: ['b', { c: 'd', e: 'f' }] }],
  ['a: [b, \'c, d\', "e"]\n', { a: ['b', 'c, d', 'e'] }],
  ['a: { b: c, d: e }\n', { a: { b: 'c', d: 'e' } }],
  ['a: >-\n  b\n  c\nd: e\n', { a: 'b c', d: 'e' }],
  ["a: 'it''s'\n", { a: "it's" }],
  ['a: 2026-07-10\n', { a: '2026-07-10' }],
  ['a: 203.107.1.1/32\n', { a: '203.107.1.1/32' }],
  ['a: 88code\nb: 1.2.3.x\n', { a: '88code', b: '1.2.3.x' }],
  ['a: 1e3\n', undefined],
  ['a: []\nb: true\n', { a: [], b: true }],
  // All below is for the full parser: another type than text, other constructs, or mistakes.
  ['a: 1.5\n', undefined],
  ['a: 007\n', undefined],
  ['a: -0\n', undefined],
  ['a: 1000000000000000000\n', undefined],
  ['a:\u00a0b\n', undefined],
  [`${Array.from({ length: 60 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')}${' '.repeat(60)}b: c\n`, undefined],
  ['a: ../b # c\nd: [./e]\n', { a: '../b', d: ['./e'] }],
  ['a: .5\n', undefined],
  ['a: .inf\n', undefined],
  ['a: ...\n', undefined],
  ['a: 0x1f\n', undefined],
  ['a: null\n', undefined],
  ['a:\n', undefined],
  ['a: b\na: c\n', undefined],
  ['a: &x b\n', undefined],
  ['a: *x\n', undefined],
  ['a: !t b\n', undefined],
  ['a: |\n  b\n', undefined],
  ['a: "\\n"\n', undefined],
  ['a: [b\n', undefined],
  ['a: [b]]\n', undefined],
  ["a: 'b\n", undefined],
  ["a: 'b' c\n", undefined],
  ['a: b: c\n', undefined],
  ['\ta: b\n', undefined],
  [' a: b\n', undefined],
  ['a: b\n  c: d\n', undefined],
  ['- a\nb: c\n', undefined],
  ['__proto__: a\n', undefined],
  ['---\na: b\n', undefined],
  ['', undefined],
  [`a: [${'x,'.repeat(2000)}]\n`, undefined],
])('%j', (text, expected) => {
  expect(parsePlain(text)).toEqual(expected);
});

test('what it reads, the full parser reads as the same', () => {
  const key = fc.stringMatching(/^[a-z_]{1,8}$/);
  const text = fc.oneof(fc.string({ maxLength: 12 }), fc.stringMatching(/^[ a-z0-9.,:#'"{}[\]*|>-]{0,12}$/));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 3 }),
    ),
  }));
  let read = 0;
  fc.assert(
    fc.property(fc.dictionary(key, tree, { minKeys: 1, maxKeys: 4 }), fc.boolean(), (value, flow) => {
      const written = stringify(value, flow ? { collectionStyle: 'flow', lineWidth: 0 } : { lineWidth: 0 });
      const found = parsePlain(written);
      if (found === undefined) return;
      read++;
      expect(found).toEqual(parse(written));
    }),
    { numRuns: 2000 },
  );
  expect(read).toBeGreaterThan(200);
});

function accepted(text: string): unknown {
  try {
    return parseYaml('test.yaml', text).value;
  } catch {
    return undefined;
  }
}

const words = fc.stringMatching(/^['"[{>a-z0-9,:#&*!|}\]. -]{0,8}$/);
const comment = fc.constantFrom('', '', '', ' # c', '#c', ' #', "  # it's [c]");

test.each([
  ['lines as they come', fc.stringMatching(/^ {0,4}(- )?([a-z]{1,2}: ?)?['"[{>a-z0-9,:#&*!|}\]. -]{0,8}$/)],
  [
    'lines that are nearly right',
    fc
      .tuple(
        fc.constantFrom('', '', '  ', '    '),
        fc.constantFrom('', '', '- ', '-  '),
        fc.constantFrom('a:', 'b:', 'c:', 'd:', 'e: ', 'f: ', ''),
        fc.oneof(
          fc.constantFrom('', 'x', '>-', '[x, y]', '{ x: y }', '{ x: [y, 1] }', "'x # y'", '"x"', '12', '-3', 'x y'),
          words,
        ),
        comment,
      )
      .map((parts) => parts.join('')),
  ],
])('%s mean what they mean to the full parser, or are left to it', (_, line) => {
  let read = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 9, arbitrary: line }, fc.constantFrom('', '  ', '# c', '  # c')), { maxLength: 6 }),
      (lines) => {
        const written = lines.join('\n');
        const found = parsePlain(written);
        if (found === undefined) return;
        read++;
        expect(found).toEqual(accepted(written));
      },
    ),
    { numRuns: 30_000 },
  );
  expect(read).toBeGreaterThan(50);
});
