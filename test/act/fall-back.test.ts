import { expect, test } from 'vitest';
import { fallBack } from '../../src/act/fall-back.ts';
import type { Action, Question } from '../../src/flow.ts';
import { denial } from '../record/attempts.ts';

const client = { address: '10.0.0.7', user: null, groups: new Set<string>() };

test.each<[Action['kind'], Question['moment'], string, Action['kind']]>([
  ['intercept', 'connect', '10.0.0.7', 'refuse'],
  ['intercept', 'connect', '10.0.0.8', 'intercept'],
  ['intercept', 'hello', '10.0.0.7', 'intercept'],
  ['tunnel', 'connect', '10.0.0.7', 'tunnel'],
  ['reset', 'connect', '10.0.0.7', 'reset'],
  ['block', 'request', '10.0.0.7', 'block'],
])('%s at the %s, where %s refuses leaves: %s', (kind, moment, refusing, expected) => {
  const action = { kind, denial } as Action;
  expect(fallBack(action, { moment, client }, (address) => address === refusing)).toEqual({ kind: expected, denial });
});
