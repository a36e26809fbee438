import { expect, test } from 'vitest';
import { createAccessLine } from '../../src/record/access-line.ts';
import { readJsonLine } from '../../src/rehearse/json-line.ts';
import { attempt, block, rejected } from '../record/attempts.ts';

const line = createAccessLine('gate-1');

test('reads a tunnel of our own log', () => {
  const text = line.finished(attempt({ client: { address: '10.0.0.8', user: 'jane' } }));
  expect(readJsonLine(text)).toEqual({
    kind: 'attempt',
    at: Date.UTC(2026, 6, 10, 8, 30, 15, 7),
    client: '10.0.0.8',
    user: 'jane',
    method: 'CONNECT',
    url: 'claude.ai:443',
    serverName: null,
    id: '0123456789abcdef01234567',
    tunnel: null,
  });
});

test('reads a request inside a tunnel, and an address', () => {
  const inside = block({ host: '2001:db8::1', hostKind: 'ipv6', tunnel: 'aabbccddeeff001122334455' });
  expect(readJsonLine(line.finished(inside))).toMatchObject({
    method: 'GET',
    url: 'https://[2001:db8::1]:443/chat',
    tunnel: 'aabbccddeeff001122334455',
  });
});

test('what never became an attempt is none', () => {
  expect(readJsonLine(line.rejected(rejected))).toEqual({ kind: 'skipped', why: 'no-request' });
});

test('reads the names of ECS as others write them', () => {
  const flat = {
    '@timestamp': '2026-07-10T10:30:15+02:00',
    'source.ip': '10.0.0.8',
    'url.original': 'http://claude.ai/chat?x=1',
    'http.request.method': 'get',
    'user.name': 'jane',
  };
  expect(readJsonLine(JSON.stringify(flat))).toMatchObject({
    at: Date.UTC(2026, 6, 10, 8, 30, 15),
    client: '10.0.0.8',
    user: 'jane',
    method: 'GET',
    url: 'http://claude.ai/chat?x=1',
  });
});

test.each([
  ['{"@timestamp":', 'not JSON'],
  ['7', 'not a JSON object'],
  ['{}', 'no time in "@timestamp"'],
  ['{"@timestamp":"2026-07-10T10:30:15Z","client":{"ip":"10.0.0.8"}}', 'no host in'],
  ['{"@timestamp":"2026-07-10T10:30:15Z","url":{"domain":"claude.ai"}}', 'no client in'],
])('says why %s is none', (text, why) => {
  expect(readJsonLine(text)).toEqual({ kind: 'bad', why: expect.stringContaining(why) as string });
});
