import { describe, expect, test } from 'vitest';
import { errors } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { expectSoundPage } from './documents.ts';
import { answers, asks, at, connects, id, jsonOf, settings, textOf, visits } from './samples.ts';

const codes = Object.keys(errors) as ErrorCode[];

describe.each(codes)('%s', (code) => {
  const { status, text, proxyStatus } = errors[code];
  const sentence = text.slice(0, -1);

  test('as JSON', () => {
    const answer = answers.failed(code, asks());
    expect(answer).toMatchObject({ name: 'error', status, reason: sentence });
    const help = code === 'not_a_proxy_request' ? ` How to set it up: ${settings.pagesUrl}/` : '';
    expect(jsonOf(answer)).toMatchObject({ message: `${text}${help} Ref ${id}`, error: { code, status }, id });
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

  test('as a page in Chinese', () => {
    const answer = answers.failed(code, visits({ 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' }));
    expect(answer).toMatchObject({ status, reason: sentence, headers: { 'Content-Language': 'zh' } });
    const page = textOf(answer);
    expectSoundPage({ html: page, csp: answer.headers['Content-Security-Policy'] ?? '' }, 'zh');
    expect(page).not.toContain(text);
    for (const part of [
      /<title>(.*)<\/title>/,
      /<h1>(.*)<\/h1>/,
      /<p class="lead">(.*)<\/p>/,
      /<p class="soft">(.*)<\/p>/,
    ])
      expect(part.exec(page)?.[1]).toMatch(/\p{Script=Han}/u);
    for (const word of ['>Address<', '>Time<', '>Reference<', '>Error<']) expect(page).not.toContain(word);
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

test('who takes the proxy for a site is shown the way to the set-up help, in either language', () => {
  const link = `<a href="${settings.pagesUrl}/">`;
  for (const wanted of ['en', 'zh'])
    expect(textOf(answers.failed('not_a_proxy_request', visits({ 'accept-language': wanted })))).toContain(link);
  expect(textOf(answers.failed('dns_error', visits()))).not.toContain(link);
});

test('a CONNECT, and what has no target, get JSON too', () => {
  expect(answers.failed('dns_error', connects).name).toBe('error');
  expect(answers.failed('malformed_request', { id, at, target: null, facts: null }).status).toBe(400);
});
