import { describe, expect, test } from 'vitest';
import { errors } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { expectSoundPage } from './documents.ts';
import { answers, asks, at, connects, id, jsonOf, textOf, visits } from './samples.ts';

const codes = Object.keys(errors) as ErrorCode[];

describe.each(codes)('%s', (code) => {
  const { status, text, proxyStatus } = errors[code];
  const sentence = text.slice(0, -1);

  test('as JSON', () => {
    const answer = answers.failed(code, asks());
    expect(answer).toMatchObject({ name: 'error', status, reason: sentence });
    expect(jsonOf(answer)).toMatchObject({ message: `${text} Ref ${id}`, error: { code, status }, id });
    expect(answer.headers).toMatchObject({
      'Content-Type': 'application/json',
      'X-Proxy-Error': code,
      'X-Sallyport-Id': id,
      'Cache-Control': 'no-store',
    });
    expect(answer.headers['Proxy-Status']).toBe(`sallyport; error=${proxyStatus}; details="${text}"`);
  });

  test('as a page', () => {
    const answer = answers.failed(code, visits());
    expect(answer).toMatchObject({ name: 'error-page', status, headers: { 'X-Proxy-Error': code } });
    expectSoundPage({ html: textOf(answer), csp: answer.headers['Content-Security-Policy'] ?? '' });
    expect(textOf(answer)).toContain(id);
  });

  test('has a reason phrase that HTTP/1.1 takes', () => {
    expect(answers.failed(code, asks()).reason).toMatch(/^[ -~]{1,99}$/);
  });
});

test.each<[ErrorCode, string | undefined]>([
  ['invalid_target', 'false'],
  ['destination_prohibited', 'false'],
  ['connection_refused', undefined],
  ['draining', undefined],
])('%s: x-should-retry is %s', (code, value) => {
  expect(answers.failed(code, asks()).headers['x-should-retry']).toBe(value);
});

test('a CONNECT, and what has no target, get JSON too', () => {
  expect(answers.failed('dns_error', connects).name).toBe('error');
  expect(answers.failed('malformed_request', { id, at, target: null, facts: null }).status).toBe(400);
});
