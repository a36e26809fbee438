import { expect, test } from 'vitest';
import { isPreflight, originOf, preflightHeaders, readableBy } from '../../src/answers/cors.ts';
import { asks } from './samples.ts';

test.each([
  ['https://app.example', 'https://app.example'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['chrome-extension://abcdef', 'chrome-extension://abcdef'],
  ['http://[::1]:3000', 'http://[::1]:3000'],
  ['null', 'null'],
  ['*', null],
  ['https://a.example\r\nx: y', null],
  ['https://a.example, https://b.example', null],
  [`https://${'a'.repeat(400)}`, null],
  ['', null],
])('the origin %j', (origin, expected) => {
  const { facts } = asks({ headers: { origin } });
  expect(originOf(facts)).toBe(expected);
  expect(readableBy(facts)['Access-Control-Allow-Origin']).toBe(expected ?? undefined);
  expect(readableBy(facts)['Vary']).toBe('Origin');
});

const asked = {
  origin: 'https://app.example',
  'access-control-request-method': 'PATCH',
  'access-control-request-headers': 'content-type,x-api-key',
};

test('a preflight is let through as it was asked for, and not remembered', () => {
  expect(preflightHeaders(asks({ headers: asked }).facts)).toMatchObject({
    'Access-Control-Allow-Origin': 'https://app.example',
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Allow-Methods': 'PATCH',
    'Access-Control-Allow-Headers': 'content-type,x-api-key',
    'Access-Control-Max-Age': '0',
  });
});

test('what is no method and no list of names is not echoed', () => {
  const odd = { ...asked, 'access-control-request-method': 'GET\r\n', 'access-control-request-headers': 'a: b' };
  const names = Object.keys(preflightHeaders(asks({ headers: odd }).facts));
  expect(names).not.toContain('Access-Control-Allow-Methods');
  expect(names).not.toContain('Access-Control-Allow-Headers');
});

test.each([
  ['OPTIONS', asked, true],
  ['OPTIONS', { origin: 'https://app.example' }, false],
  ['GET', asked, false],
])('%s %o is a preflight: %s', (method, headers, expected) => {
  expect(isPreflight(asks({ method, headers }).facts)).toBe(expected);
});
