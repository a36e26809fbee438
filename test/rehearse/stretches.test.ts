import { expect, test } from 'vitest';
import type { Exception, Rule } from '../../src/flow.ts';
import { createStretches } from '../../src/rehearse/stretches.ts';

const rule = { id: 'r', what: { vendors: ['acme'] }, effect: 'deny', reason: 'x' } satisfies Rule;
const exception = { id: 'e', what: {}, until: 300, approvedBy: 'Ada', reason: 'x' } satisfies Exception;

test('a stretch begins where something begins or ends, in whatever order it is asked for', () => {
  const stretchOf = createStretches({
    rules: [
      { ...rule, until: 100 },
      { ...rule, from: 100, until: 200 },
    ],
    exceptions: [exception],
  });
  const times = [0, 99, 100, 199, 200, 299, 300, 1e15];
  const expected = [0, 0, 1, 1, 2, 2, 3, 3];
  expect(times.map(stretchOf)).toEqual(expected);
  expect(times.toReversed().map(stretchOf)).toEqual(expected.toReversed());
});
