import { expect, test } from 'vitest';
import { repeatedKey } from '../../src/admin/json.ts';

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
