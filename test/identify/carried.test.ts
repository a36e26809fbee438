import { expect, test } from 'vitest';
import type { Hostname } from '../../src/flow.ts';
import { carriedHosts, isCarrier } from '../../src/identify/carried.ts';

const carriedHost = (host: Hostname, path?: string): Hostname | null => carriedHosts(host, path)[0] ?? null;

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
  ['10.0.0.1.traefik.me', '10.0.0.1'],
  ['www-10-0-0-1.traefik.me', '10.0.0.1'],
  ['traefik.me', null],
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
  ['r.jina.ai', '/https%3A%2F%2Fclaude.ai%2Fchat?x=%', 'claude.ai'],
  ['r.jina.ai', '/https%253A%252F%252Fclaude.ai%252Fchat', 'claude.ai'],
  ['r.jina.ai', `/https%3A%2F%2Fclaude.ai%2F${'x'.repeat(2016)}%2F`, 'claude.ai'],
  ['corsproxy.io', '/?url=https%3A%2F%2Fapi.anthropic.com%2Fv1%2Fmessages&%', 'api.anthropic.com'],
  ['corsproxy.io', '/?url=https:\\\\api.anthropic.com\\v1', 'api.anthropic.com'],
  ['example.com', '/https://claude.ai/', null],
  ['ai.translate.goog', '/new?x=1&_x_tr_hp=claude-&_x_tr_sl=en', 'claude.ai'],
  ['openai-com.translate.goog', '/v1?a?b&_x_tr_hp=API-', 'api.openai.com'],
  ['claude-ai.translate.goog', '/?_x_tr_sl=en', 'claude.ai'],
  ['r.jina.ai', `/${'x'.repeat(3000)}https://claude.ai/`, null],
  // Most of them put the scheme in front themselves.
  ['web.archive.org', '/web/2024/claude.ai/new', 'claude.ai'],
  ['r.jina.ai', '/Claude.AI.', 'claude.ai'],
  ['pure.md', '/claude.ai:443/new?from=example.com', 'claude.ai'],
  ['corsproxy.io', '/?claude.ai/x', 'claude.ai'],
  ['api.codetabs.com', '/v1/proxy?quest=claude.ai/new', 'claude.ai'],
  ['translate.google.com', '/translate?sl=en&u=claude.ai&tl=de', 'claude.ai'],
  ['www.microsofttranslator.com', '/bv.aspx?from=&to=de&a=claude.ai', 'claude.ai'],
  ['webcache.googleusercontent.com', '/search?q=cache:claude.ai', 'claude.ai'],
  ['webcache.googleusercontent.com', '/search?q=cache:AbC12:claude.ai/new+chat', 'claude.ai'],
  // Where the visitor comes from, or what is said there, is not where the reader goes.
  ['web.archive.org', '/?utm_source=chatgpt.com', null],
  ['translate.google.com', '/?sl=en&tl=de&text=claude.ai', null],
  ['web.archive.org', '/web/2024/https://example.com/?utm_source=chatgpt.com', 'example.com'],
  // Readers, archives, translators and scrapers by how each is given its address.
  ['translate.googleusercontent.com', '/translate_c?depth=1&u=https://claude.ai/', 'claude.ai'],
  ['papago.naver.net', '/website?locale=en&target=en&url=https%3A%2F%2Fclaude.ai%2F', 'claude.ai'],
  ['translate.yandex.com.tr', '/translate?lang=en-tr&url=https://claude.ai', 'claude.ai'],
  ['translate.weblio.jp', '/web/english?lp=EJ&url=https://claude.ai', 'claude.ai'],
  ['translated.turbopages.org', '/proxy_u/en-ru.ru.57ee7853-60d1ca24/https/claude.ai/new', 'claude.ai'],
  ['z5h64q92x9.net', '/proxy_u/en-ru.ru/claude.ai/new', 'claude.ai'],
  ['arquivo.pt', '/wayback/20240101/https://claude.ai/', 'claude.ai'],
  ['wayback.archive-it.org', '/123/2024/https://claude.ai/', 'claude.ai'],
  ['timetravel.mementoweb.org', '/list/2024/https://claude.ai/', 'claude.ai'],
  ['ghostarchive.org', '/search?term=https://claude.ai', 'claude.ai'],
  ['via.hypothes.is', '/https://claude.ai/', 'claude.ai'],
  ['www.instapaper.com', '/text?u=https://claude.ai/', 'claude.ai'],
  ['www.printfriendly.com', '/print?url=https://claude.ai/', 'claude.ai'],
  ['www.removepaywall.com', '/search?url=https://claude.ai/', 'claude.ai'],
  ['www.smry.ai', '/proxy?url=https://claude.ai/', 'claude.ai'],
  ['proxy.corsfix.com', '/?https://claude.ai/', 'claude.ai'],
  ['whateverorigin.org', '/get?url=https://claude.ai/', 'claude.ai'],
  ['api.zenrows.com', '/v1/?apikey=k&url=https%3A%2F%2Fclaude.ai', 'claude.ai'],
  ['api.scrapfly.io', '/scrape?key=k&url=https://claude.ai', 'claude.ai'],
  ['api.microlink.io', '/?url=https://claude.ai', 'claude.ai'],
])('%s with %s carries %s', (host, path, expected) => {
  expect(carriedHost(host as Hostname, path)).toBe(expected);
});

test.each([
  ['markdown.new', '/claude.ai/redirect?url=https://example.com/', ['claude.ai', 'example.com']],
  ['corsproxy.io', '/example.com?url=https://claude.ai/', ['example.com', 'claude.ai']],
])('%s with %s carries what is in either', (host, path, expected) => {
  expect(carriedHosts(host as Hostname, path)).toEqual(expected);
});

test('a path is not looked at before there is one', () => {
  expect(carriedHost('r.jina.ai' as Hostname)).toBeNull();
});
