import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parsePlain } from '../../src/config/plain-yaml.ts';

test.each([
  ['a: b\n', { a: 'b' }],
  ['# note\na: b # c\n', undefined],
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
  ['a: 1\n', undefined],
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

test('lines as they come mean what they mean to the full parser, or are left to it', () => {
  const line = fc.stringMatching(/^ {0,4}(- )?([a-z]{1,2}: ?)?['"[{>a-z0-9,:#&*!|}\]. -]{0,8}$/);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      const written = lines.join('\n');
      const found = parsePlain(written);
      if (found !== undefined) expect(found).toEqual(parse(written, { uniqueKeys: true }));
    }),
    { numRuns: 5000 },
  );
});
