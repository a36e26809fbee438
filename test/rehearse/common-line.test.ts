import { expect, test } from 'vitest';
import { createCommonReader, isCommonLine, readCommonTime } from '../../src/rehearse/common-line.ts';

const claude = {
  kind: 'attempt',
  at: Date.UTC(2026, 6, 10, 8, 0, 1),
  client: '10.20.0.7',
  user: 'jane',
  method: 'CONNECT',
  url: 'claude.ai:443',
  serverName: null,
  id: null,
  tunnel: null,
};

test.each([
  [
    'Squid',
    '10.20.0.7 - jane [10/Jul/2026:08:00:01 +0000] "CONNECT claude.ai:443 HTTP/1.1" 200 39 TCP_TUNNEL:HIER_DIRECT',
    {},
  ],
  ['another zone', '10.20.0.7 - jane [10/Jul/2026:10:30:01 +0230] "CONNECT claude.ai:443 HTTP/1.1" 200 39', {}],
  ['a zone to the west', '10.20.0.7 - jane [10/Jul/2026:01:00:01 -0700] "CONNECT claude.ai:443 HTTP/1.1" 200 39', {}],
  [
    'combined',
    '10.20.0.7 - jane [10/Jul/2026:08:00:01 +0000] "GET http://claude.ai/ HTTP/1.1" 200 - "http://a/" "Mozilla/5.0 \\"x\\""',
    { method: 'GET', url: 'http://claude.ai/' },
  ],
  [
    'nobody who is known',
    '10.20.0.7 - - [10/Jul/2026:08:00:01 +0000] "CONNECT claude.ai:443 HTTP/1.1" 403 39',
    { user: null },
  ],
  [
    'a user with a space',
    '10.20.0.7 - Jane Doe [10/Jul/2026:08:00:01 +0000] "CONNECT claude.ai:443 HTTP/1.1" 200 39',
    { user: 'Jane Doe' },
  ],
  [
    'a virtual host',
    'gate:3128 10.20.0.7 - jane [10/Jul/2026:08:00:01 +0000] "CONNECT claude.ai:443 HTTP/1.1" 200 39',
    {},
  ],
  [
    'IPv6',
    'fd00::7 - jane [10/Jul/2026:08:00:01 +0000] "CONNECT [2001:db8::1]:443 HTTP/1.1" 200 39',
    { client: 'fd00::7', url: '[2001:db8::1]:443' },
  ],
  [
    'a quote in a URL, as Squid writes it',
    '10.20.0.7 - jane [10/Jul/2026:08:00:01 +0000] "GET http://claude.ai/a"b<c> HTTP/1.1" 0 0 "-" "x"y" TCP_MISS_ABORTED:HIER_NONE',
    { method: 'GET', url: 'http://claude.ai/a"b<c>' },
  ],
])('reads %s', (_, line, differs) => {
  expect(isCommonLine(line)).toBe(true);
  const read = createCommonReader();
  expect(read(line)).toEqual({ ...claude, ...differs });
  expect(read(line)).toEqual({ ...claude, ...differs });
});

test.each([
  [
    'a challenge',
    '10.20.0.7 - - [10/Jul/2026:08:00:01 +0000] "CONNECT claude.ai:443 HTTP/1.1" 407 39',
    { kind: 'skipped', why: 'challenge' },
  ],
  ['no request', '10.20.0.7 - - [10/Jul/2026:08:00:01 +0000] "-" 408 -', { kind: 'skipped', why: 'no-request' }],
  ['a web server', '10.20.0.7 - - [10/Jul/2026:08:00:01 +0000] "GET /index.html HTTP/1.1" 200 39', { kind: 'bad' }],
  [
    'a month that is none',
    '10.20.0.7 - - [10/Xyz/2026:08:00:01 +0000] "CONNECT claude.ai:443 HTTP/1.1" 200 39',
    { kind: 'bad' },
  ],
  ['anything', 'anything', { kind: 'bad' }],
])('makes no attempt of %s', (_, line, expected) => {
  expect(createCommonReader()(line)).toMatchObject(expected);
});

test.each([['anJ'], ['10/anF/2026:08:00:01 +0000'], ['']])('"%s" is no time', (text) => {
  expect(readCommonTime(text)).toBeNaN();
});
