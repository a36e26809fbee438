import { expect, test } from 'vitest';
import { createLineReader } from '../../src/config/list-lines.ts';
import type { ListFormat } from '../../src/config/list-lines.ts';

/** The result, and the names as they were taken: `=` only it, `!` taken out. */
function read(line: string, format: ListFormat = 'auto') {
  const names: string[] = [];
  const marks = { suffix: '', exact: '=', not: '!' };
  const reader = createLineReader(format, (bytes, from, to, listed) => {
    names.push(`${marks[listed]}${Buffer.from(bytes).toString('latin1', from, to)}`);
  });
  const bytes = Buffer.from(`junk${line}junk`);
  return [reader.read(bytes, 4, bytes.length - 4), ...names];
}

test.each<[string, ...string[]]>([
  ['example.com', 'domains', 'example.com'],
  ['  Example.COM\r', 'domains', 'example.com'],
  ['.example.com', 'domains', 'example.com'],
  ['*.example.com', 'domains', 'example.com'],
  ['=example.com', 'domains', '=example.com'],
  ['example.com.', 'domains', 'example.com'],
  ['example.com # ads', 'domains', 'example.com'],
  ['_dmarc.example.com', 'domains', '_dmarc.example.com'],
  ['bücher.example', 'domains', 'xn--bcher-kva.example'],
  ['xn--bcher-kva.example', 'domains', 'xn--bcher-kva.example'],
  ['192.0.2.1', 'domains', '=192.0.2.1'],
  ['2001:DB8::1', 'domains', '=2001:db8::1'],
  ['0.0.0.0 ads.example.com', 'domains', '=ads.example.com'],
  ['127.0.0.1\tads.example.com\twww.ads.example.com # two', 'domains', '=ads.example.com', '=www.ads.example.com'],
  [':: ads.example.com', 'domains', '=ads.example.com'],
  ['127.0.0.1 localhost', 'nothing'],
  ['fe80::1%lo0 localhost', 'nothing'],
  ['255.255.255.255 broadcasthost', 'nothing'],
  ['::1 ip6-localhost ip6-loopback', 'nothing'],
  ['0.0.0.0 0.0.0.0', 'nothing'],
  ['||example.com^', 'domains', 'example.com'],
  ['||Example.com^$important', 'domains', 'example.com'],
  ['||example.com^|', 'domains', 'example.com'],
  ['||example.com', 'domains', 'example.com'],
  ['||*.example.com^', 'domains', 'example.com'],
  ['@@||good.example.com^', 'domains', '!good.example.com'],
  ['||example.com^$third-party', 'nothing'],
  ['||example.com/ads/', 'nothing'],
  ['||example.*^', 'nothing'],
  ['@@/banner/', 'nothing'],
  ['example.com##.ad', 'nothing'],
  ['example.com#@#.ad', 'nothing'],
  ['/banner/*/ads', 'nothing'],
  ['|https://example.com|', 'nothing'],
  ['', 'nothing'],
  ['   ', 'nothing'],
  ['# comment', 'nothing'],
  ['! comment', 'nothing'],
  ['[Adblock Plus 2.0]', 'nothing'],
  ['com', 'a whole top-level domain'],
  ['||zip^', 'a whole top-level domain'],
  ['0.0.0.0 zip', 'a whole top-level domain'],
  ['two words', 'not a domain'],
  ['<!DOCTYPE html>', 'not a domain'],
  ['exa!mple.com', 'not a domain'],
  ['example..com', 'not a domain'],
  ['.', 'not a domain'],
  ['=', 'not a domain'],
  [`${'a'.repeat(64)}.example`, 'not a domain'],
  [`${'a.'.repeat(127)}example`, 'not a domain'],
  ['0.0.0.0 exa{mple.com', 'not a domain'],
  ['\u0000\u0001\u0002', 'not a domain'],
])('%j: %s', (line, ...result) => {
  expect(read(line)).toEqual(result);
});

test.each<[ListFormat, string, ...string[]]>([
  ['plain', 'example.com', 'domains', 'example.com'],
  ['plain', '||example.com^', 'in another format'],
  ['plain', '0.0.0.0 example.com', 'in another format'],
  ['plain', 'example.com##.ad', 'not a domain'],
  ['hosts', '0.0.0.0 example.com', 'domains', '=example.com'],
  ['hosts', 'example.com', 'in another format'],
  ['hosts', '||example.com^', 'in another format'],
  ['adblock', '||example.com^', 'domains', 'example.com'],
  ['adblock', 'example.com', 'domains', 'example.com'],
  ['adblock', '0.0.0.0 example.com', 'in another format'],
])('as %s, %j: %s', (format, line, ...result) => {
  expect(read(line, format)).toEqual(result);
});
