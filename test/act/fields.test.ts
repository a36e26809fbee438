import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { hostField, requestFields, responseFields, trailerFields } from '../../src/act/fields.ts';
import { SallyportError } from '../../src/errors.ts';
import type { RequestArrival } from '../../src/flow.ts';
import { parseAuthority } from '../../src/listen/target.ts';

const target = parseAuthority('ok.test:80');
/** A message of no connection: only what is given is read of it. */
const message = (fields: object): IncomingMessage =>
  Object.assign(new IncomingMessage(new Socket()), { httpVersion: '1.1', headers: {}, ...fields });
/** What goes on, by name. */
function sent(headers: object): Record<string, string> {
  const arrival = { req: message({ headers }), target, facts: { scheme: 'http', method: 'GET' } } as RequestArrival;
  const fields = requestFields(arrival, 'us');
  return Object.fromEntries(fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] ?? '']] : [])));
}

test.each([
  ['connection', 'close'],
  ['keep-alive', 'timeout=5'],
  ['proxy-connection', 'keep-alive'],
  ['proxy-authorization', 'Basic x'],
  ['proxy-authenticate', 'Basic'],
  ['te', 'trailers'],
  ['trailer', 'x'],
  ['upgrade', 'h2c'],
  ['http2-settings', 'x'],
  ['expect', '100-continue'],
])('%s goes no further', (name, value) => {
  expect(sent({ [name]: value, 'x-end': '1' })).toEqual({ 'x-end': '1', via: '1.1 us', host: 'ok.test' });
});

test('what Connection names goes no further, but for what makes the message', () => {
  const kept = {
    ...{ 'content-length': '3', cookie: 'a', authorization: 'b', 'content-type': 'c' },
    ...{ 'content-encoding': 'd', 'content-range': 'e' },
  };
  const headers = { ...kept, 'x-secret': '1', 'x-forwarded-for': '2', host: 'evil.test', via: '1.0 other' };
  const connection = ` X-SECRET ,,close, ${Object.keys(kept).join(',')},Host,Via, x-forwarded-for`;
  expect(sent({ ...headers, connection })).toEqual({ ...kept, via: '1.0 other, 1.1 us', host: 'ok.test' });
});

test.each([
  'ok.test:80|ok.test',
  'ok.test:8080|ok.test:8080',
  '[::1]:80|[::1]',
  '[::1]:81|[::1]:81',
  '127.1:443|127.0.0.1:443',
])('Host of %s', (pair) => {
  const [authority = '', host] = pair.split('|');
  expect(hostField(parseAuthority(authority), 'http')).toBe(host);
});

test.each([
  ['1.1 us', true],
  ['1.0 a, 1.1 us', true],
  ['1.1 a,1.1 us (comment), 1.1 b', true],
  ['HTTP/1.1 us', true],
  ['1.1 us2', false],
  ['1.1 a (us)', false],
  ['', false],
])('Via %j: a loop is %s', (via, loop) => {
  let code: string | null = null;
  try {
    sent({ via });
  } catch (error) {
    code = (error as SallyportError).code;
  }
  expect(code).toBe(loop ? 'loop_detected' : null);
});

test('a field named __proto__ goes no further', () => {
  const headers = Object.create(null) as Record<string, string>;
  headers['__proto__'] = 'x';
  headers['constructor'] = 'y';
  expect(Object.keys(sent(headers)).sort()).toEqual(['constructor', 'host', 'via']);
});

test('an answer keeps order and spelling, loses what is for one hop, and gets Via', () => {
  const rawHeaders = [
    ...['X-A', '1', 'Connection', 'X-Hop', 'Set-Cookie', 'a', 'x-hop', '1', 'SET-COOKIE', 'b', 'Keep-Alive', '5'],
    ...[
      'Transfer-Encoding',
      'chunked',
      'Trailer',
      't',
      'Upgrade',
      'h2c',
      'Proxy-Authenticate',
      'Basic',
      'Via',
      '1.0 o',
    ],
  ];
  const headers = { connection: 'X-Hop', 'transfer-encoding': 'chunked' };
  expect(responseFields(message({ rawHeaders, headers }), 'us')).toEqual([
    ...['X-A', '1', 'Set-Cookie', 'a', 'SET-COOKIE', 'b', 'Via', '1.0 o', 'Via', '1.1 us'],
  ]);
});

test.each(['gzip', 'gzip, chunked', 'chunked, chunked', 'identity', ''])(
  'an answer with coding %j is refused',
  (coding) => {
    const answer = message({ rawHeaders: [], headers: { 'transfer-encoding': coding } });
    expect(() => responseFields(answer, 'us')).toThrow(SallyportError);
  },
);

test('trailers lose what frames, routes or authenticates', () => {
  const bad = [
    'Content-Length',
    'Host',
    'Authorization',
    'Set-Cookie',
    'Transfer-Encoding',
    'Connection',
    'Trailer',
    'Via',
  ];
  const rawTrailers = [...bad.flatMap((name) => [name, 'x']), 'X-Sum', '42', 'grpc-status', '0'];
  expect(trailerFields(message({ rawTrailers }))).toEqual([
    ['X-Sum', '42'],
    ['grpc-status', '0'],
  ]);
});
