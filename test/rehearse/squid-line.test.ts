import { expect, test } from 'vitest';
import { isSquidLine, readSquidLine } from '../../src/rehearse/squid-line.ts';

const claude = {
  kind: 'attempt',
  at: 1_783_670_400_000,
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
    'a tunnel, from when it was asked for',
    '1783670400.123    123 10.20.0.7 TCP_TUNNEL/200 3981 CONNECT claude.ai:443 jane HIER_DIRECT/160.79.104.10 -',
    {},
  ],
  [
    'what was denied',
    '1783670400.000      0 10.20.0.7 TCP_DENIED/403 3981 CONNECT claude.ai:443 jane HIER_NONE/- text/html',
    {},
  ],
  [
    'nobody who is known',
    '1783670400.000 0 10.20.0.7 TCP_TUNNEL/200 1 CONNECT claude.ai:443 - HIER_DIRECT/1.2.3.4 -',
    { user: null },
  ],
  [
    'a user that is encoded',
    '1783670400.000 0 10.20.0.7 TCP_TUNNEL/200 1 CONNECT claude.ai:443 CORP%5cj%c3%bcrgen%20x HIER_NONE/- -',
    { user: 'CORP\\jürgen x' },
  ],
  [
    'a user that is encoded badly',
    '1783670400.000 0 10.20.0.7 TCP_TUNNEL/200 1 CONNECT claude.ai:443 50%off HIER_NONE/- -',
    { user: '50%off' },
  ],
  [
    'IPv6',
    '1783670400.000 0 fd00::7 TCP_TUNNEL/200 1 CONNECT [2001:db8::1]:443 jane HIER_NONE/- -',
    { client: 'fd00::7', url: '[2001:db8::1]:443' },
  ],
  [
    'a URL',
    '1783670400.000 0 10.20.0.7 TCP_MISS/200 1 GET http://claude.ai/a?b=c jane HIER_NONE/- text/html',
    { method: 'GET', url: 'http://claude.ai/a?b=c' },
  ],
  [
    'a duration below nothing',
    '1783670400.000 -5 10.20.0.7 TCP_TUNNEL/200 1 CONNECT claude.ai:443 jane HIER_NONE/- -',
    {},
  ],
  [
    'the headers of log_mime_hdrs',
    '1783670400.000 0 10.20.0.7 TCP_TUNNEL/200 1 CONNECT claude.ai:443 jane HIER_NONE/- - [User-Agent: x\\r\\n] []',
    {},
  ],
  [
    'what syslog puts before it',
    'Jul 10 08:00:00 gate (squid-1): 1783670400.000 0 10.20.0.7 TCP_TUNNEL/200 1 CONNECT claude.ai:443 jane HIER_NONE/- -',
    {},
  ],
  [
    'RFC 5424 before it',
    '<134>1 2026-07-10T08:00:00Z gate squid 77 - - 1783670400.000 0 10.20.0.7 TCP_TUNNEL/200 1 CONNECT claude.ai:443 jane HIER_NONE/- -',
    {},
  ],
])('reads %s', (_, line, differs) => {
  expect(isSquidLine(line)).toBe(true);
  expect(readSquidLine(line)).toEqual({ ...claude, ...differs });
});

test.each([
  ['challenge', '1783670400.000 0 10.20.0.7 TCP_DENIED/407 1 CONNECT claude.ai:443 - HIER_NONE/- text/html'],
  ['no-request', '1783670400.000 0 10.20.0.7 NONE_NONE/000 0 - error:transaction-end-before-headers - HIER_NONE/- -'],
  ['no-request', '1783670400.000 0 10.20.0.7 NONE/400 3 NONE error:invalid-request - HIER_NONE/- text/html'],
  [
    'no-request',
    '1783670400.000 0 127.0.0.1 TCP_MISS/200 3 GET cache_object://localhost/info - HIER_NONE/- text/plain',
  ],
])('counts a %s apart', (why, line) => {
  expect(readSquidLine(line)).toEqual({ kind: 'skipped', why });
});

test.each([
  'garbage',
  '',
  '1783670400.000',
  '1783670400.000 0 10.20.0.7 TCP_TUNNEL/200 1 CONNECT',
  '1783670400.000 0 10.20.0.7 TCP_TUNNEL/200 1 CONNECT claude.ai:443',
  '1783670400.000 fast 10.20.0.7 TCP_TUNNEL/200 1 CONNECT claude.ai:443 - HIER_NONE/- -',
])('does not make an attempt of %s', (line) => {
  expect(readSquidLine(line)).toMatchObject({ kind: 'bad' });
});
