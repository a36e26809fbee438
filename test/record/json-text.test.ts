import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldLimit, jsonText } from '../../src/record/json-text.ts';

/** What must never stand in a line as it is: controls, line separators, marks that turn the direction of text. */
const unsafe = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;

test.each([
  ['plain', 'claude.ai', '"claude.ai"'],
  ['quote and backslash', 'a"b\\c', '"a\\"b\\\\c"'],
  ['CR and LF', 'a\r\nb', '"a\\r\\nb"'],
  ['NUL and ESC', '\0\x1b[31m', '"\\u0000\\u001b[31m"'],
  ['a C1 control that begins escape sequences', '\x9b31m', '"\\u009b31m"'],
  ['line separators', '\u2028\u2029', '"\\u2028\\u2029"'],
  ['turned text', 'a\u202egpj.exe', '"a\\u202egpj.exe"'],
  ['lone surrogates', 'a\ud800b\udc00', '"a\ufffdb\ufffd"'],
  ['letters of the world stay readable', 'München 北京 🙂', '"München 北京 🙂"'],
  ['empty', '', '""'],
])('%s', (_name, value, expected) => {
  expect(jsonText(value)).toBe(expected);
});

test('a long value is cut, also in the middle of a pair of surrogates', () => {
  expect(JSON.parse(jsonText('x'.repeat(100_000)))).toHaveLength(fieldLimit);
  expect(JSON.parse(jsonText('abc🙂', 4))).toBe('abc\ufffd');
});

test('any text is one safe line of JSON and comes back as it was', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.integer({ max: 0xffff }).map((c) => String.fromCharCode(c)) }),
  );
  fc.assert(
    fc.property(anything, (value) => {
      const text = jsonText(value);
      expect(text).not.toMatch(unsafe);
      expect(JSON.parse(text)).toBe(value.replace(/\p{Surrogate}/gu, '\ufffd'));
    }),
    { numRuns: 2000 },
  );
});
