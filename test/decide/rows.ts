/** Policies in sentences: what is said, the policy, the question, and what comes of it. */
import { expect } from 'vitest';
import { compile } from '../../src/decide/compile.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Action, Effect } from '../../src/flow.ts';
import { document, now, question } from './questions.ts';
import type { PolicyGiven, QuestionGiven } from './questions.ts';

export type Row = readonly [
  sentence: string,
  policy: PolicyGiven,
  question: QuestionGiven,
  expected: readonly [effect: Effect, rule: string, action: Action['kind']],
];

export function decided(policy: PolicyGiven, asked: QuestionGiven, at = now) {
  return decide(compile(document(policy)), question(asked), at);
}

export function expectRow([, policy, asked, [effect, rule, action]]: Row): void {
  const { decision, action: done } = decided(policy, asked);
  expect({ effect: decision.effect, rule: decision.rule, action: done.kind }).toEqual({ effect, rule, action });
  if (!rule.startsWith('default-')) expect(decision.reason).not.toBe('');
}
