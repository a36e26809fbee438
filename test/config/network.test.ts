import { expect, test } from 'vitest';
import { overlap, parseAllowed } from '../../src/config/network.ts';

test.each([
  ['https://wiki.corp', 'wiki.corp'],
  ['https://wiki.corp/a?b', 'wiki.corp'],
  ['http://wiki.corp:8080/', 'wiki.corp:8080'],
  ['http://', 'host or host:port'],
])('a destination is no URL: %s', (text, meant) => {
  expect(() => parseAllowed(text)).toThrow(`"${text}" is a URL; write its host alone, ${meant}`);
});

test('what is meant by that is a destination', () => {
  expect(parseAllowed('wiki.corp')).toEqual({ match: 'host', value: 'wiki.corp', port: null });
  expect(parseAllowed('wiki.corp:8080')).toEqual({ match: 'host', value: 'wiki.corp', port: 8080 });
});

test.each([
  ['10.0.0.0/8', '10.1.0.0/16', true],
  ['10.1.0.0/16', '10.1.0.0/16', true],
  ['10.1.0.0/16', '10.2.0.0/16', false],
  ['0.0.0.0/0', '192.0.2.1/32', true],
  ['fd00::/8', 'fd00:1::/32', true],
  ['fd00:1::/32', 'fd00:2::/32', false],
  ['::/0', '10.0.0.0/8', false],
])('%s and %s have an address in common: %s', (a, b, common) => {
  expect([overlap(a, b), overlap(b, a)]).toEqual([common, common]);
});
