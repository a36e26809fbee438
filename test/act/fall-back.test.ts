import { expect, test } from 'vitest';
import { fallBack } from '../../src/act/fall-back.ts';
import type { Action, Hostname, Question } from '../../src/flow.ts';
import { denial } from '../record/attempts.ts';

const client = { address: '10.0.0.7', user: null, groups: new Set<string>() };

const ports = { tlsRequiredPorts: [444], httpPorts: [81] };
const at = (port: number): Question['target'] => ({ host: 'denied.test' as Hostname, kind: 'name', port });

test.each<[Action['kind'], Question['moment'], string, Action['kind']]>([
  ['intercept', 'connect', '10.0.0.7', 'refuse'],
  ['intercept', 'connect', '10.0.0.8', 'intercept'],
  ['intercept', 'hello', '10.0.0.7', 'intercept'],
  ['tunnel', 'connect', '10.0.0.7', 'tunnel'],
  ['reset', 'connect', '10.0.0.7', 'reset'],
  ['block', 'request', '10.0.0.7', 'block'],
])('%s at the %s, where %s refuses leaves: %s', (kind, moment, refusing, expected) => {
  const action = { kind, denial } as Action;
  const asked = { moment, client, target: at(443) };
  expect(fallBack(action, asked, (address) => address === refusing, ports)).toEqual({ kind: expected, denial });
});

test.each<[number, Action['kind'], Action['kind']]>([
  [22, 'intercept', 'refuse'],
  [25, 'intercept', 'refuse'],
  [993, 'intercept', 'refuse'],
  [1023, 'intercept', 'refuse'],
  [22, 'reset', 'reset'],
  [22, 'tunnel', 'tunnel'],
  [443, 'intercept', 'intercept'],
  [80, 'intercept', 'intercept'],
  [444, 'intercept', 'intercept'],
  [81, 'intercept', 'intercept'],
  [1024, 'intercept', 'intercept'],
  [8443, 'intercept', 'intercept'],
])('port %i at the connect, where the action is %s: %s', (port, kind, expected) => {
  const asked = { moment: 'connect' as const, client, target: at(port) };
  expect(fallBack({ kind, denial }, asked, () => false, ports)).toEqual({ kind: expected, denial });
});
