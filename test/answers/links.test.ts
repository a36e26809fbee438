import { expect, test } from 'vitest';
import { contactHref, isAt, webUrl, withContext } from '../../src/answers/links.ts';
import { target } from './samples.ts';

test.each([
  ['https://a.example/x?y=1#z', 'https://a.example/x?y=1#z'],
  ['HTTP://A.example', 'http://a.example/'],
  ['https://bücher.example/ü"<', 'https://xn--bcher-kva.example/%C3%BC%22%3C'],
  ['https://a.example/\r\nSet-Cookie: a', 'https://a.example/Set-Cookie:%20a'],
  ['javascript:alert(1)', null],
  ['data:text/html,x', null],
  ['//evil.test', null],
  ['\\\\evil.test', null],
  ['', null],
])('the web address %j', (text, url) => {
  expect(webUrl(text)).toBe(url);
});

test.each([
  ['https://a.example', 'https://a.example/?sallyport=t.s'],
  ['https://a.example/p?', 'https://a.example/p?sallyport=t.s'],
  ['https://a.example/p?q=a+b%20c&r#top', 'https://a.example/p?q=a+b%20c&r&sallyport=t.s#top'],
])('%s with a context', (url, expected) => {
  expect(withContext(url, 't.s')).toBe(expected);
});

test.each([
  ['https://claude.ai/x', 'claude.ai', 443, true],
  ['http://claude.ai/x', 'claude.ai', 443, false],
  ['http://claude.ai/x', 'claude.ai', 80, true],
  ['https://claude.ai:8443/', 'claude.ai', 8443, true],
  ['https://www.claude.ai/', 'claude.ai', 443, false],
  ['http://[::1]:8128/', '::1', 8128, true],
])('%s leads to %s, port %i: %s', (url, host, port, leads) => {
  expect(isAt(url, target(host, port))).toBe(leads);
});

test.each([
  ['it@example.com', 'mailto:it@example.com'],
  ['https://help.example/?a=1', 'https://help.example/?a=1'],
  ['the help desk, extension 1234', null],
  ['a@b.example?bcc=c@d.example', null],
  ['a@b.example\r\nx', null],
])('who asks %j', (contact, href) => {
  expect(contactHref(contact)).toBe(href);
});
