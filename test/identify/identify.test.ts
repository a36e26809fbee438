import { expect, test } from 'vitest';
import { createIdentify } from '../../src/identify/identify.ts';
import type { Hello, RequestArrival, Target, TunnelArrival, UpgradeArrival } from '../../src/flow.ts';
import { outerDenial, serviceAt } from '../decide/questions.ts';
import { attempt, host } from '../record/attempts.ts';
import type { Given } from '../record/attempts.ts';

const research: ReadonlySet<string> = new Set(['research']);
const nobody: ReadonlySet<string> = new Set();
const identify = createIdentify({
  services: serviceAt,
  groups: (address) => (address === '10.30.0.1' ? research : nobody),
  accountCalls: () => false,
});

const tunnel = (given: Given = {}) => attempt({ ...given, kind: 'tunnel' }).arrival as TunnelArrival;
const request = (given: Given = {}) => attempt({ ...given, kind: 'request' }).arrival as RequestArrival;
const upgrade = (given: Given = {}) => attempt({ ...given, kind: 'upgrade' }).arrival as UpgradeArrival;

function hello(name: string | null): Hello {
  const serverName: Target | null = name === null ? null : { host: host(name), kind: 'name', port: 443 };
  return { kind: 'tls', serverName, alpn: [], ech: false, resumable: true, bytes: Buffer.alloc(0) };
}

test('a CONNECT asks for its target', () => {
  const arrival = tunnel({ host: 'claude.ai', clientAddress: '10.30.0.1' });
  const asked = identify.connect(arrival);
  expect(asked.arrival).toBe(arrival);
  expect(asked.question).toEqual({
    moment: 'connect',
    client: { address: '10.30.0.1', user: null, groups: research },
    target: arrival.target,
    service: serviceAt('claude.ai'),
    serverName: null,
    navigation: false,
    denied: null,
  });
});

test.each<[sentence: string, target: string, hello: Hello, expected: string | null]>([
  ['the same name', 'corp.test', hello('corp.test'), null],
  ['no name', 'corp.test', hello(null), null],
  ['another name', 'corp.test', hello('claude.ai'), 'claude.ai'],
  ['a name below', 'corp.test', hello('a.corp.test'), 'a.corp.test'],
  ['no TLS', 'corp.test', { kind: 'other', why: 'not-tls', bytes: Buffer.alloc(0) }, null],
])('a hello adds the name that is new: %s', (_, target, said, expected) => {
  const connect = identify.connect(tunnel({ host: target }));
  const { arrival, question } = identify.hello(connect, said);
  expect(arrival).toBe(connect.arrival);
  const serverName = expected === null ? null : { host: expected, service: serviceAt(expected) };
  expect(question).toEqual({ ...connect.question, moment: 'hello', serverName, ech: false });
});

test('an encrypted hello is told of, and of nothing but TLS', () => {
  const connect = identify.connect(tunnel());
  const echOf = (said: Hello): unknown => identify.hello(connect, said).question.ech;
  expect(echOf({ ...(hello('corp.test') as Hello & { kind: 'tls' }), ech: true })).toBe(true);
  expect(echOf({ kind: 'other', why: 'silent', bytes: Buffer.alloc(0) })).toBe(false);
});

test('a hello forgets no denial', () => {
  const connect = identify.connect(tunnel());
  const denied = { ...connect, question: { ...connect.question, denied: outerDenial } };
  expect(identify.hello(denied, hello(null)).question.denied).toBe(outerDenial);
});

test('a plain request', () => {
  const arrival = request({ host: 'corp.test', facts: { navigation: true } });
  expect(identify.request(arrival)).toEqual({
    arrival,
    question: {
      moment: 'request',
      client: { address: '10.0.0.7', user: null, groups: nobody },
      target: arrival.target,
      service: null,
      serverName: null,
      navigation: true,
      denied: null,
    },
  });
});

test('a request inside an intercepted tunnel brings its denial', () => {
  const arrival = request({ tunnel: 'outer-id' });
  expect(identify.request(arrival).question.denied).toBe(arrival.tunnel?.denial);
  expect(identify.request(arrival).question.denied).not.toBeNull();
});

test('an upgrade is no navigation, whatever it claims', () => {
  expect(identify.request(upgrade({ facts: { navigation: true } })).question.navigation).toBe(false);
});
