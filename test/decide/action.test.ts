import { expect, test } from 'vitest';
import { actionFor } from '../../src/decide/action.ts';
import type { Decision, Denial, Question } from '../../src/flow.ts';
import { outerDenial } from './questions.ts';

const deny = (manner: Denial['manner'], redirect: Denial['redirect'] = 'page'): Decision => {
  const denial = { ...outerDenial, manner, redirect };
  return { effect: 'deny', rule: denial.rule, reason: denial.reason, denial };
};
const allow: Decision = { effect: 'allow', rule: 'a', reason: 'a' };
const monitor: Decision = { effect: 'monitor', rule: 'm', reason: 'm' };
const at = (moment: Question['moment'], navigation = false) => ({ moment, navigation });

test.each([
  ['connect, allow', allow, at('connect'), 'tunnel'],
  ['connect, monitor', monitor, at('connect'), 'tunnel'],
  ['connect, deny: intercept', deny('intercept'), at('connect'), 'intercept'],
  ['connect, deny: refuse', deny('refuse'), at('connect'), 'refuse'],
  ['connect, deny: reset', deny('reset'), at('connect'), 'reset'],
  ['hello, allow', allow, at('hello'), 'tunnel'],
  ['hello, monitor', monitor, at('hello'), 'tunnel'],
  ['hello, deny: intercept', deny('intercept'), at('hello'), 'intercept'],
  ['hello, deny: too late to refuse', deny('refuse'), at('hello'), 'reset'],
  ['hello, deny: reset', deny('reset'), at('hello'), 'reset'],
  ['request, allow', allow, at('request'), 'forward'],
  ['request, monitor', monitor, at('request', true), 'forward'],
  ['request, deny', deny('intercept'), at('request'), 'block'],
  ['request, deny: refuse is the answer to the request', deny('refuse'), at('request'), 'block'],
  ['request, deny: reset', deny('reset', 'immediate'), at('request', true), 'reset'],
  ['navigation, deny: the page', deny('intercept', 'page'), at('request', true), 'block'],
  ['navigation, deny: at once to the assistant', deny('intercept', 'immediate'), at('request', true), 'redirect'],
  ['no navigation is never redirected', deny('intercept', 'immediate'), at('request', false), 'block'],
])('%s', (_, decision, moment, expected) => {
  const action = actionFor(decision, moment);
  expect(action.kind).toBe(expected);
  if ('denial' in action && decision.effect === 'deny') expect(action.denial).toBe(decision.denial);
});

test.each([
  ['a moment', allow, { moment: 'later', navigation: false }],
  ['a manner at the CONNECT', deny('shout' as Denial['manner']), at('connect')],
  ['a manner at the hello', deny('shout' as Denial['manner']), at('hello')],
  ['a manner at a request', deny('shout' as Denial['manner']), at('request')],
])('%s that nobody foresaw resets', (_, decision, moment) => {
  expect(actionFor(decision, moment as Question)).toEqual({ kind: 'reset' });
});
