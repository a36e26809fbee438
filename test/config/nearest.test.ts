import fc from 'fast-check';
import { expect, test } from 'vitest';
import { edits, nearest } from '../../src/config/nearest.ts';
import { namesOf, unknownVendor } from '../../src/config/references.ts';

test.each([
  ['antropic', 'anthropic'],
  ['opnai', 'openai'],
  ['nothing-like-it', null],
])('%s is near %s', (word, expected) => {
  expect(nearest(word, ['anthropic', 'openai', 'mistral'])).toBe(expected);
});

test('counting that stops early says the same below its limit, and no less from there on', () => {
  const word = fc.string({ maxLength: 9, unit: fc.constantFrom('a', 'b', 'c') });
  fc.assert(
    fc.property(word, word, fc.integer({ min: 1, max: 8 }), (a, b, enough) => {
      const all = edits(a, b);
      const some = edits(a, b, enough);
      if (all < enough) expect(some).toBe(all);
      else expect(some).toBeGreaterThanOrEqual(enough);
    }),
    { numRuns: 2_000 },
  );
});

test('only the first of many unknown words get a suggestion, which takes a comparison with every known one', () => {
  const policy = { groups: {}, assistants: [] } as unknown as Parameters<typeof namesOf>[0];
  const names = namesOf(policy, [{ id: 'openai', tags: [], products: [] }]);
  const said = Array.from({ length: 22 }, () => unknownVendor('opnai', names));
  expect(said[19]).toContain('did you mean "openai"?');
  expect(said[20]).toBe('unknown vendor "opnai"; correct the ones before it first');
});
