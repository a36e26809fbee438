import { expect, test } from 'vitest';
import type { Hostname } from '../../src/flow.ts';
import { carriedHost, isCarrier } from '../../src/identify/carried.ts';

test.each([
  ['claude-ai.translate.goog', 'claude.ai'],
  ['api-openai-com.translate.goog', 'api.openai.com'],
  ['my--site-example-com.translate.goog', 'my-site.example.com'],
  ['0-mnchen--3ya-de.translate.goog', 'xn--mnchen-3ya.de'],
  ['1-example-com.translate.goog', 'example.com'],
  ['translate.goog', null],
  ['-.translate.goog', null],
  ['a.b.translate.goog', null],
  ['claude-ai.cdn.ampproject.org', 'claude.ai'],
  ['10.0.0.1.nip.io', '10.0.0.1'],
  ['www.10.0.0.1.nip.io', '10.0.0.1'],
  ['www-10-0-0-1.nip.io', '10.0.0.1'],
  ['0a000001.nip.io', '10.0.0.1'],
  ['10-0-0-1.sslip.io', '10.0.0.1'],
  ['2001-db8--1.sslip.io', '2001:db8::1'],
  ['10.0.0.999.nip.io', null],
  ['nip.io', null],
  ['hello.nip.io', null],
  ['notnip.io', null],
  ['claude.ai', null],
])('%s carries %s', (host, expected) => {
  expect(carriedHost(host as Hostname)).toBe(expected);
  // Whoever carries something is known for it; some of those are, too, who carry nothing here.
  if (expected !== null) expect(isCarrier(host as Hostname)).toBe(true);
});

test.each([
  ['r.jina.ai', true],
  ['x.translate.goog', true],
  ['translate.goog', false],
  ['notnip.io', false],
  ['claude.ai', false],
])('%s is a carrier: %s', (host, expected) => {
  expect(isCarrier(host as Hostname)).toBe(expected);
});

test.each([
  ['r.jina.ai', '/https://claude.ai/new', 'claude.ai'],
  ['r.jina.ai', '/https%3A%2F%2FClaude.AI.%2Fnew', 'claude.ai'],
  ['web.archive.org', '/web/2024/https://user:x@api.openai.com:443/v1', 'api.openai.com'],
  ['translate.google.com', '/translate?sl=en&u=https://claude.ai&tl=de', 'claude.ai'],
  ['corsproxy.io', '/?http:/claude.ai/x', 'claude.ai'],
  ['r.jina.ai', '/no-url-here', null],
  ['r.jina.ai', '/https://', null],
  ['r.jina.ai', '/%zz/https://claude.ai/', 'claude.ai'],
  ['example.com', '/https://claude.ai/', null],
  ['ai.translate.goog', '/new?x=1&_x_tr_hp=claude-&_x_tr_sl=en', 'claude.ai'],
  ['openai-com.translate.goog', '/v1?a?b&_x_tr_hp=API-', 'api.openai.com'],
  ['claude-ai.translate.goog', '/?_x_tr_sl=en', 'claude.ai'],
  ['r.jina.ai', `/${'x'.repeat(3000)}https://claude.ai/`, null],
])('%s with %s carries %s', (host, path, expected) => {
  expect(carriedHost(host as Hostname, path)).toBe(expected);
});

test('a path is not looked at before there is one', () => {
  expect(carriedHost('r.jina.ai' as Hostname)).toBeNull();
});
