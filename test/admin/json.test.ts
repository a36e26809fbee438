import { expect, test } from 'vitest';
import { jsonFault, noBody, repeatedKey } from '../../src/admin/json.ts';

test.each([
  ['{}', null],
  ['{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}', null],
  ['{"a":"\\"a\\":","b":"{\\"a\\":1}"}', null],
  ['{"a":1,"a":1}', 'a'],
  ['{"for":"5m","\\u0066or" : "8h"}', 'for'],
  ['{"a":{"b":1,"c":[],"b":2}}', 'b'],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
])('%s has twice: %j', (text, key) => {
  expect(repeatedKey(text)).toBe(key);
});

test.each([
  [
    '{"vendor": ope, "reason": "a text that is not shown again"}',
    /^The body is not JSON: unexpected token '?o'?( at position 11)?\.$/,
  ],
  ['{"a":1,', /^The body is not JSON: [^"]*position 7[^"]*\.$/],
  ['secret-token', /^The body is not JSON: unexpected token '?s'?[^-]*\.$/],
  ['{"__proto__":1}', /^The body has the key "__proto__" or "constructor"\. Remove it\.$/],
])('%s is refused in words', (text, said) => {
  expect(jsonFault(text)).toMatch(said);
});

test('nothing, or only blanks, is no body', () => {
  expect([jsonFault(''), jsonFault(' \n')]).toEqual([noBody, noBody]);
});
