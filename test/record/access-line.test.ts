import { expect, test } from 'vitest';
import type { Decision } from '../../src/flow.ts';
import { createAccessLine } from '../../src/record/access-line.ts';
import { attempt, block, claude, denial, denied, host, monitored, rejected } from './attempts.ts';
import type { Given } from './attempts.ts';

const line = createAccessLine('gate-1');

function lineOf(given: Given): string {
  return line.finished(attempt(given));
}

function parsed(text: string): unknown {
  expect(text.indexOf('\n')).toBe(text.length - 1);
  return JSON.parse(text);
}

test('a tunnel', () => {
  const text = lineOf({
    decision: monitored,
    client: { address: '10.0.0.8', user: 'jane' },
    question: { serverName: { host: host('api.anthropic.com'), service: claude } },
    outcome: { status: 200, bytesIn: 1234, bytesOut: 5678, upstream: { address: '160.79.104.10', port: 443 } },
    duration: 12.345678,
  });
  expect(parsed(text)).toEqual({
    '@timestamp': '2026-07-10T08:30:15.007Z',
    'log.level': 'info',
    'ecs.version': '8.11.0',
    host: { name: 'gate-1' },
    event: {
      id: '0123456789abcdef01234567',
      kind: 'event',
      dataset: 'sallyport.access',
      category: ['network'],
      type: ['connection', 'allowed'],
      action: 'tunnel-passed',
      outcome: 'success',
      duration: 12_345_678,
      reason: monitored.reason,
    },
    rule: { id: monitored.rule },
    client: { ip: '10.0.0.8' },
    source: { ip: '10.0.0.7', port: 50_123, bytes: 1234 },
    destination: { port: 443, domain: 'claude.ai', ip: '160.79.104.10', bytes: 5678 },
    url: { domain: 'claude.ai', port: 443 },
    http: { request: { method: 'CONNECT' }, response: { status_code: 200 } },
    user: { name: 'jane' },
    tls: { client: { server_name: 'api.anthropic.com' } },
    user_agent: { original: 'curl/8.5.0' },
    sallyport: {
      policy: 'f00d',
      effect: 'monitor',
      would_deny: true,
      action: 'tunnel',
      outcome: 'passed',
      vendor: 'anthropic',
      product: 'claude',
      channel: 'direct',
    },
  });
});

test('a name that was hidden in the hello is told from one that was not', () => {
  expect(parsed(lineOf({ decision: { ...monitored, ech: true } }))).toMatchObject({ sallyport: { ech: true } });
  expect(parsed(lineOf({ decision: { ...denied, ech: true } }))).toMatchObject({ sallyport: { ech: true } });
  expect(lineOf({ decision: monitored, question: { ech: true } })).not.toContain('"ech"');
});

test('a blocked request inside an intercepted tunnel', () => {
  const text = line.finished(
    block({ tunnel: 'aabbccddeeff001122334455', facts: { method: 'POST', path: '/v1/messages?beta=true' } }),
  );
  expect(parsed(text)).toMatchObject({
    event: { type: ['connection', 'denied'], action: 'request-blocked', outcome: 'failure', reason: denial.reason },
    rule: { id: denial.rule },
    url: { scheme: 'https', domain: 'claude.ai', port: 443, path: '/v1/messages' },
    http: { version: '1.1', request: { method: 'POST' }, response: { status_code: 403 } },
    sallyport: {
      effect: 'deny',
      action: 'block',
      answer: 'page',
      tunnel: 'aabbccddeeff001122334455',
      outcome: 'blocked',
    },
  });
});

test('a failure without status, service, agent and upstream leaves the fields out', () => {
  const text = lineOf({
    kind: 'upgrade',
    host: '2001:db8::1',
    hostKind: 'ipv6',
    service: null,
    userAgent: '',
    outcome: { kind: 'failed', status: null, error: 'connection_refused' },
  });
  const record = parsed(text);
  expect(record).toMatchObject({
    destination: { ip: '2001:db8::1' },
    sallyport: { error: 'connection_refused', outcome: 'failed' },
  });
  for (const absent of ['vendor', 'user_agent', 'status_code', '"user"', '"tls"', '"answer"', '"tunnel"']) {
    expect(text).not.toContain(absent);
  }
});

test('what was written before does not show in a line', () => {
  const trial: Decision = { effect: 'allow', rule: 'default', reason: monitored.reason, exception: 'trial' };
  const given: readonly Given[] = [
    {},
    { decision: denied, question: { service: null } },
    { decision: { ...denied, reason: 'Another one.' }, host: 'b.example', clientAddress: '10.0.0.9' },
    { decision: trial, host: '10.0.0.1', hostKind: 'ipv4', client: { user: 'jane' } },
    { kind: 'request', userAgent: 'one', service: null, outcome: { answer: 'page', status: null, kind: 'blocked' } },
    { kind: 'upgrade', userAgent: 'other', outcome: { kind: 'failed', error: 'dns_error', endedBy: 'later' } },
    { client: { address: '10.0.0.8' }, outcome: { upstream: { address: '192.0.2.1', port: 443 } } },
    { question: { serverName: { host: host('b.example'), service: null }, dialled: [] }, at: 1 },
  ];
  for (let time = 0; time < 500; time += 1) {
    const one = attempt(given[(time * 7 + (time >> 3)) % given.length]);
    expect(line.finished(one)).toBe(createAccessLine('gate-1').finished(one));
  }
});

test('what never became an attempt', () => {
  const text = line.rejected({ ...rejected, detail: 'not a port: "a\r\nb"' });
  expect(parsed(text)).toEqual({
    '@timestamp': '2026-07-10T08:30:15.007Z',
    'log.level': 'info',
    'ecs.version': '8.11.0',
    host: { name: 'gate-1' },
    event: {
      id: rejected.id,
      kind: 'event',
      dataset: 'sallyport.access',
      category: ['network'],
      type: ['connection', 'error'],
      action: 'arrival-rejected',
      outcome: 'failure',
      reason: 'not a port: "a\r\nb"',
    },
    client: { ip: '10.0.0.7' },
    source: { ip: '10.0.0.7', port: 50_123 },
    sallyport: { outcome: 'failed', error: 'invalid_target' },
  });
});

test('what may not go on, or finds no room, is named with its method and without its query', () => {
  const { arrival } = attempt({ kind: 'request', facts: { method: 'POST', path: '/v1/messages?key=secret' } });
  const text = line.rejected({ ...rejected, code: 'authentication_required', asked: arrival });
  expect(parsed(text)).toMatchObject({
    event: { action: 'arrival-rejected' },
    destination: { domain: arrival.target.host, port: 443 },
    url: { scheme: 'https', domain: arrival.target.host, path: '/v1/messages' },
    http: { request: { method: 'POST' }, response: { status_code: 407 } },
    sallyport: { error: 'authentication_required' },
  });
  expect(text).not.toContain('secret');
});

test('without a host name there is no host field', () => {
  expect(createAccessLine(null).finished(attempt())).not.toContain('"host"');
});

test.each([
  [Date.UTC(2026, 0, 1, 0, 0, 0, 999), '2026-01-01T00:00:00.999Z'],
  [Date.UTC(2026, 0, 1, 0, 0, 0, 5), '2026-01-01T00:00:00.005Z'],
  [Date.UTC(2026, 0, 1, 0, 0, 1, 0), '2026-01-01T00:00:01.000Z'],
  [Date.UTC(2025, 11, 31, 23, 59, 59, 50), '2025-12-31T23:59:59.050Z'],
])('time %i', (at, expected) => {
  expect(parsed(lineOf({ at }))).toMatchObject({ '@timestamp': expected });
});

const hostile: readonly (readonly [string, string])[] = [
  ['CR and LF', 'a\r\n{"event":"forged"}\r\n'],
  ['a terminal sequence', '\x1b]0;owned\x07\x9b2J'],
  ['line separators', 'a\u2028b\u2029c\x85d'],
  ['invalid surrogates', '\ud800x\udc00'],
  ['a closing quote', '"},"sallyport":{"effect":"allow"}}'],
  ['100 KB', 'x'.repeat(100_000)],
  ['100 KB that have to be escaped', '\0'.repeat(100_000)],
];

test.each(hostile)('%s in every field that a client fills is one bounded line', (_name, said) => {
  const text = lineOf({
    kind: 'request',
    host: said,
    userAgent: said,
    facts: { method: said, path: `/${said}` },
    client: { user: said },
    question: { serverName: { host: host(said), service: null } },
    decision: { ...denied, reason: said },
    action: { kind: 'block', denial },
  });
  expect(parsed(text)).toMatchObject({ sallyport: { effect: 'deny' } });
  expect(text.length).toBeLessThan(64 * 1024);
  expect(text.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]|\p{Surrogate}/u);
});

test('none of twenty planted secrets is written', () => {
  const secrets = Array.from(
    { length: 20 },
    (_value, index) => `sk-planted-secret-${index.toString().padStart(2, '0')}`,
  );
  const [query, fragment, parameter, encoded, path, agent, ...inHeaders] = secrets;
  const names = ['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'referer', 'x-goog-api-key', 'api-key'];
  const headers = Object.fromEntries(
    inHeaders.map((secret, index) => [names[index] ?? `x-custom-${index}`, `Bearer ${secret}`]),
  );
  const paths = [
    `/v1/models?key=${query ?? ''}`,
    `/v1/models#${fragment ?? ''}`,
    `/v1/models;token=${parameter ?? ''}`,
    `/v1/models%3Fkey=${encoded ?? ''}`,
    `/v1/keys/${path ?? ''}/rotate`,
  ];
  const lines = paths.flatMap((target) =>
    (['request', 'upgrade'] as const).map((kind) =>
      lineOf({ kind, userAgent: `tool/1.0 ${agent ?? ''}`, facts: { path: target, headers } }),
    ),
  );
  const log = lines.join('');
  expect(lines).toHaveLength(10);
  expect(log).not.toContain('planted');
  expect(log).toContain('/v1/keys/redacted/rotate');
});

test('different user agents do not get each other’s text', () => {
  for (let index = 0; index < 3000; index += 1) {
    expect(parsed(lineOf({ userAgent: `agent/${index}` }))).toMatchObject({
      user_agent: { original: `agent/${index}` },
    });
  }
});
