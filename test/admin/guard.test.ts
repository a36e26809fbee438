import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { checkProvenance, checkToken, type TokenAttempts } from '../../src/admin/guard.ts';

/** A request with these header lines, which may repeat a name. */
function request(lines: readonly (readonly [string, string])[]): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  message.rawHeaders = lines.flat();
  for (const [name, value] of lines) message.headers[name.toLowerCase()] ??= value;
  return message;
}

const endless: TokenAttempts = { take: () => true, giveBack: () => undefined, refused: () => undefined };

const loopback = { hosts: ['metrics.corp.example'], bound: ['127.0.0.1'] };
const open = { hosts: ['sallyport'], bound: ['0.0.0.0'] };

test.each([
  ['127.0.0.1:9128', loopback],
  ['127.0.0.1', loopback],
  ['localhost:9128', loopback],
  ['LOCALHOST', loopback],
  ['[::1]:9128', loopback],
  ['Metrics.Corp.Example:443', loopback],
  ['sallyport:9128', open],
  ['10.1.2.3:9128', open],
  ['[2001:db8::1]:9128', open],
  ['127.0.0.1:9128', open],
])('Host %s is its own', (host, rules) => {
  expect(checkProvenance(request([['Host', host]]), rules)).toBe(null);
});

test.each([
  ['evil.test:9128', loopback],
  ['localhost.evil.test', loopback],
  ['127.0.0.1.evil.test', loopback],
  ['evil.test', open],
  ['10.1.2.3', loopback],
  ['metrics.corp.example.', loopback],
  ['user@localhost', loopback],
  ['localhost:9128:1', loopback],
  ['localhost/x', loopback],
  ['', loopback],
])('Host %s is another', (host, rules) => {
  expect(checkProvenance(request([['Host', host]]), rules)?.status).toBe(421);
});

test('no Host and two Hosts are refused', () => {
  expect(checkProvenance(request([]), loopback)?.status).toBe(421);
  const two = request([
    ['Host', 'localhost'],
    ['host', 'evil.test'],
  ]);
  expect(checkProvenance(two, loopback)?.status).toBe(421);
});

test.each([
  ['/livez', null],
  ['/readyz', null],
  ['/metrics', 421],
  ['/api/status', 421],
  ['/readyz/../api/status', 421],
  ['/readyz?', 421],
])('no Host at %s, as in the HTTP/1.0 of a load balancer', (path, status) => {
  const probe = request([]);
  probe.url = path;
  expect(checkProvenance(probe, loopback)?.status ?? null).toBe(status);
  const fromPage = request([['Origin', 'http://evil.test']]);
  fromPage.url = path;
  expect(checkProvenance(fromPage, loopback)?.status).toBe(status ?? 403);
});

test.each([
  ['sec-fetch-site', 'same-origin', null],
  ['sec-fetch-site', 'none', null],
  ['sec-fetch-site', 'same-site', 403],
  ['sec-fetch-site', 'cross-site', 403],
  ['sec-fetch-site', 'anything', 403],
  ['origin', 'http://localhost:9128', null],
  ['origin', 'https://localhost:9128', 403],
  ['origin', 'http://localhost:8128', 403],
  ['origin', 'http://evil.test', 403],
  ['origin', 'null', 403],
])('%s: %s gives %s', (name, value, status) => {
  const lines = request([
    ['Host', 'localhost:9128'],
    [name, value],
  ]);
  expect(checkProvenance(lines, loopback)?.status ?? null).toBe(status);
});

test.each([
  ['no token is set, loopback', null, '', ['127.0.0.1'], null],
  ['no token is set, localhost', null, '', ['localhost', '::1'], null],
  ['no token is set, open to others', null, '', ['0.0.0.0'], 403],
  ['no token is set, open to others beside loopback', null, '', ['localhost', '10.0.0.1'], 403],
  ['no token is set, but one is given', null, 'Bearer x', ['0.0.0.0'], 403],
  ['the token', 'secret', 'Bearer secret', ['0.0.0.0'], null],
  ['the token, lower-case scheme', 'secret', 'bearer secret', ['127.0.0.1'], null],
  ['none', 'secret', '', ['127.0.0.1'], 401],
  ['another', 'secret', 'Bearer secre', ['127.0.0.1'], 401],
  ['another scheme', 'secret', 'Basic secret', ['127.0.0.1'], 401],
  ['an empty one', 'secret', 'Bearer ', ['127.0.0.1'], 401],
])('token: %s', (_name, token, authorization, bound, status) => {
  const lines = authorization === '' ? [] : [['authorization', authorization] as const];
  expect(checkToken(request(lines), token, bound, endless)?.status ?? null).toBe(status);
});

test('of tokens the wrong ones count, and after too many of them the right one is not looked at', () => {
  let left = 2;
  let refused = 0;
  const attempts = {
    take: () => (left === 0 ? false : (left -= 1) >= 0),
    giveBack: () => void (left += 1),
    refused: () => void (refused += 1),
  };
  const check = (authorization: string): number | null =>
    checkToken(request([['authorization', authorization]]), 'secret', ['0.0.0.0'], attempts)?.status ?? null;
  expect(['', 'Basic x', 'Bearer secret', 'Bearer secret'].map(check)).toEqual([401, 401, null, null]);
  expect(['Bearer a', 'Bearer b', 'Bearer c', 'Bearer secret'].map(check)).toEqual([401, 401, 429, 429]);
  expect(refused).toBe(2);
});
