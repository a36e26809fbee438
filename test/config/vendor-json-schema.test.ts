import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { vendorJsonSchema } from '../../src/config/vendor-json-schema.ts';

test('the schema that editors use is the one that files are read by; `sallyport catalog schema` writes it', () => {
  const shipped: unknown = JSON.parse(readFileSync('config/vendor.schema.json', 'utf8'));
  expect(shipped).toEqual(vendorJsonSchema());
});

test('a list may be written as its only item', () => {
  const text = JSON.stringify(vendorJsonSchema());
  const list = { anyOf: [{ type: 'string' }, { type: 'array', minItems: 1, items: { type: 'string' } }] };
  expect(text).toContain(`"suffix":${JSON.stringify(list)}`);
  expect(text).toContain('"additionalProperties":false');
});
