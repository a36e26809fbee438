import { expect, test } from 'vitest';
import type { ExceptionLine } from '../../src/config/exception-line.ts';
import { sameExceptions } from '../../src/config/same-exceptions.ts';

const now = 1_000;
const first: ExceptionLine = {
  id: 'first',
  vendors: ['anthropic', 'openai'],
  groups: ['research'],
  until: 9_000,
  approved_by: 'the head',
  reason: 'A trial.',
  created_at: 500,
  created_by: 'alice',
};
const second: ExceptionLine = { ...first, id: 'second', created_at: now, reason: 'Another.', until: 12_000 };

test.each<[string, Partial<ExceptionLine>, Partial<ExceptionLine>, boolean]>([
  ['the same', {}, {}, true],
  ['the same in another order', {}, { vendors: ['openai', 'anthropic', 'openai'] }, true],
  ['less', {}, { vendors: ['openai'] }, false],
  ['for others', {}, { groups: undefined, users: ['ada'] }, false],
  ['for one written in another case', { users: ['ada'] }, { users: ['Ada'] }, true],
  ['at one site alone', {}, { sites: ['berlin'] }, false],
  ['after the first has ended', {}, { from: 9_000 }, false],
  ['before the first begins', { from: 12_000, until: 20_000 }, {}, false],
  ['overlapping', { from: 11_000, until: 20_000 }, {}, true],
  ['a first one that ended', { until: now }, {}, false],
  ['a first one that was revoked', { revoked_at: 900 }, {}, false],
])('%s', (_, old, wanted, same) => {
  const found = sameExceptions(new Map([[3, { ...first, ...old }]]), { ...second, ...wanted }, now);
  expect(found.map(([index, { id }]) => [index, id])).toEqual(same ? [[3, 'first']] : []);
});

test('a pause is no exception', () => {
  const pause = { id: 'p', pause: 'openai', from: 0, until: 9_000, reason: 'x', created_at: 0, created_by: 'a' };
  expect(sameExceptions(new Map([[0, pause]]), second, now)).toEqual([]);
});
