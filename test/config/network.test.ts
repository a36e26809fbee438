import { expect, test } from 'vitest';
import { parseAllowed } from '../../src/config/network.ts';

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
