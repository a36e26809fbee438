import { expect, test } from 'vitest';
import { commonHeaders, htmlAnswer, jsonAnswer, textAnswer } from '../../src/answers/headers.ts';
import { at, id } from './samples.ts';

const facts = { viaName: 'sallyport', id, at, code: 'dns_error', details: 'no "such" host' } as const;
const head = { name: 'x', status: 403, reason: 'No', headers: { Date: 'today' } };

test('what every answer bears', () => {
  expect(commonHeaders(facts)).toEqual({
    Date: 'Mon, 03 Aug 2026 09:41:00 GMT',
    'Proxy-Status': 'sallyport; error=dns_error; details="no \\"such\\" host"',
    'X-Proxy-Error': 'dns_error',
    'X-Sallyport-Id': id,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
});

test.each([
  ['proxy-1.example', 'proxy-1.example;'],
  ['proxy one', '"proxy one";'],
  ['1st', '"1st";'],
  ['a"; error=x', '"a\\"; error=x";'],
])('the proxy called %s', (viaName, start) => {
  expect(commonHeaders({ ...facts, viaName })['Proxy-Status']?.startsWith(start)).toBe(true);
});

const plainPage = { html: '', csp: "default-src 'none'", language: 'en', refresh: null };

test.each([
  [textAnswer(head, 'é'), 'text/plain; charset=utf-8', 'é\n'],
  [jsonAnswer(head, { a: 'é\n' }), 'application/json', '{"a":"é\\n"}\n'],
  [htmlAnswer(head, { ...plainPage, html: '<p>é' }), 'text/html; charset=utf-8', '<p>é'],
])('a body with its type %#', (answer, type, body) => {
  expect(answer.headers).toMatchObject({ Date: 'today', 'Content-Type': type });
  expect(answer.body.equals(Buffer.from(body))).toBe(true);
});

test('a page may load nothing and tells nobody where the person came from', () => {
  const { headers } = htmlAnswer(head, plainPage);
  expect(headers).toMatchObject({
    'Content-Security-Policy': "default-src 'none'",
    'Content-Language': 'en',
    'Referrer-Policy': 'no-referrer',
  });
  expect(headers).not.toHaveProperty('Refresh');
});

test('a page that moves on says so in a field', () => {
  const { headers } = htmlAnswer(head, { ...plainPage, refresh: '8; url=https://a.example/' });
  expect(headers['Refresh']).toBe('8; url=https://a.example/');
});
