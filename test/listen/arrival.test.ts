import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { factsOf, newId, originOf, userAgentOf } from '../../src/listen/arrival.ts';

/** A request of no connection: only what is given is read of it. */
const request = (fields: object): IncomingMessage =>
  Object.assign(new IncomingMessage(new Socket()), { method: 'GET', httpVersion: '1.1', headers: {}, ...fields });

test('ids are 96 bits in hexadecimal and never twice, beyond the pool too', () => {
  const ids = Array.from({ length: 5_000 }, newId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{24}$/);
});

test('a peer that is gone has an origin all the same', () => {
  expect(originOf({ remoteAddress: undefined, remotePort: undefined })).toMatchObject({
    clientAddress: '',
    clientPort: 0,
  });
});

test.each([
  [{ 'sec-fetch-mode': 'navigate' }, 'GET', true],
  [{ 'sec-fetch-mode': 'navigate' }, 'POST', true],
  [{ 'sec-fetch-mode': 'cors', accept: 'text/html' }, 'GET', false],
  [{ 'sec-fetch-mode': 'no-cors', accept: 'text/html' }, 'GET', false],
  [{ accept: 'text/html,application/xhtml+xml' }, 'GET', true],
  [{ accept: 'text/html' }, 'HEAD', true],
  [{ accept: 'text/html' }, 'POST', false],
  [{ accept: 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2' }, 'GET', false],
  [{ accept: 'text/html, text/plain, text/sgml, text/css, */*;q=0.01' }, 'GET', true],
  [{ accept: '*/*' }, 'GET', false],
  [{ accept: '*/*', 'user-agent': 'curl/8.5.0' }, 'GET', false],
  [{ accept: '*/*', 'user-agent': 'Links (2.28; Linux 6.1 x86_64; GNU C 12.2; text)' }, 'GET', true],
  [{ accept: '*/*', 'user-agent': 'ELinks/0.13.2 (textmode; Linux 6.1 x86_64; 80x24-2)' }, 'HEAD', true],
  [{ accept: '*/*', 'user-agent': 'ELinks/0.13.2 (textmode; Linux 6.1 x86_64; 80x24-2)' }, 'POST', false],
  [{ accept: '*/*', 'user-agent': 'Linkspector/1.0' }, 'GET', false],
  [{ accept: 'application/json', 'user-agent': 'Links (2.28)' }, 'GET', false],
  [{ accept: 'application/json' }, 'GET', false],
  [{}, 'GET', false],
])('headers %j of a %s: navigation is %s', (headers, method, navigation) => {
  expect(factsOf(request({ headers, method }), 'http', '/')?.navigation).toBe(navigation);
});

test.each([
  ['1.0', {}, '1.0'],
  ['1.1', {}, '1.1'],
  ['2.0', { stream: {} }, '2.0'],
  ['2.0', {}, undefined],
  ['1.1', { stream: {} }, '1.1'],
  ['0.9', {}, undefined],
  ['1.2', {}, undefined],
  ['3.0', {}, undefined],
])('a message of HTTP/%s with %j has version %s', (httpVersion, more, expected) => {
  const facts = factsOf(request({ httpVersion, ...more }), 'http', '/');
  // A stream that is not HTTP/2 does not exist; it must not be taken for HTTP/2 either.
  if (httpVersion === '1.1' && 'stream' in more) expect(facts).toBeNull();
  else expect(facts?.httpVersion).toBe(expected);
});

test('a repeated user agent is one text', () => {
  expect(userAgentOf(request({ headers: { 'user-agent': 'a' } }))).toBe('a');
  expect(userAgentOf(request({}))).toBe('');
});
