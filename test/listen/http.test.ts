import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { RequestArrival } from '../../src/flow.ts';
import { echo, get, startEcho } from '../support/echo.ts';
import { connectRaw, eventually, exchange } from '../support/streams.ts';
import { startWired } from '../support/wiring.ts';

const run = promisify(execFile);

test('a request in one segment, byte by byte, and with empty lines before it', async () => {
  const { port } = await startEcho();
  await (await connectRaw(port, get('/a'))).until('<GET /a >');
  const slow = await connectRaw(port);
  for (const letter of get('/b')) slow.write(letter);
  await slow.until('<GET /b >');
  await (await connectRaw(port, `\r\n\r\n${get('/c')}`)).until('<GET /c >');
});

test('curl keeps one connection for many requests', async () => {
  const { port, arrivals } = await startEcho();
  const proxy = ['-sS', '-x', `http://127.0.0.1:${port}`];
  const { stdout } = await run('curl', [...proxy, 'http://ok.test/1', 'http://ok.test/2', 'http://other.test:81/3']);
  expect(stdout).toBe('<GET /1 ><GET /2 ><GET /3 >');
  expect(new Set(arrivals.map((arrival) => arrival.clientPort)).size).toBe(1);
  expect(new Set(arrivals.map((arrival) => arrival.id)).size).toBe(3);
  expect(arrivals[2]?.target).toEqual({ host: 'other.test', kind: 'name', port: 81 });
});

test.each([100, 1_000])('%d pipelined requests, with bodies among them, are answered in order', async (count) => {
  const { port } = await startEcho();
  const requests = Array.from({ length: count }, (_, i) =>
    i % 3 === 0 ? `POST http://ok.test/${i} HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 4\r\n\r\nbody` : get(`/${i}`),
  );
  const last = requests.length - 1;
  requests[last] = get(`/${last}`, 'Connection: close\r\n');
  const text = await exchange(port, requests.join(''));
  const answers = [...text.matchAll(/<\w+ \/(\d+) (\w*)>/g)].map((match) => Number(match[1]));
  expect(answers).toEqual(requests.map((_, i) => i));
});

test('Expect: 100-continue is left to whoever decides', async () => {
  const { port, arrivals } = await startWired({ arrived: () => undefined });
  const head = 'POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
  const client = await connectRaw(port, head);
  await eventually('the arrival', () => arrivals.length === 1);
  expect(client.seen()).toBe('');
  const arrival = arrivals[0] as RequestArrival;
  arrival.res.writeContinue();
  await client.until('HTTP/1.1 100 Continue\r\n\r\n');
  echo(arrival);
  client.write('hello');
  await client.until('<POST / hello>');
});

test('another expectation is an arrival too', async () => {
  const { port } = await startEcho();
  await (await connectRaw(port, get('/', 'Expect: tea\r\n'))).until('<GET / >');
});

test('a CONNECT on a kept-alive connection is a tunnel arrival', async () => {
  const { port, arrivals } = await startEcho();
  const client = await connectRaw(port, get('/'));
  await client.until('<GET / >');
  client.write('CONNECT deny.test:443 HTTP/1.1\r\nHost: deny.test:443\r\nUser-Agent: x\r\n\r\nearly');
  expect((await client.ended).text).toContain('tunnel deny.test:443 early');
  expect(arrivals[1]).toMatchObject({ kind: 'tunnel', userAgent: 'x', early: Buffer.from('early') });
});

const host = 'Host: ok.test\r\n';
test.each([
  ['origin-form', `GET / HTTP/1.1\r\n${host}\r\n`, 'not_a_proxy_request'],
  ['asterisk-form', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, 'not_a_proxy_request'],
  ['authority-form', `GET ok.test:80 HTTP/1.1\r\n${host}\r\n`, 'malformed_request'],
  ['ftp', `GET ftp://ok.test/ HTTP/1.1\r\n${host}\r\n`, 'unsupported_scheme'],
  ['another Host', 'GET http://ok.test/ HTTP/1.1\r\nHost: deny.test\r\n\r\n', 'host_mismatch'],
  ['another port in Host', 'GET http://ok.test/ HTTP/1.1\r\nHost: ok.test:81\r\n\r\n', 'host_mismatch'],
  ['two Hosts', `GET http://ok.test/ HTTP/1.1\r\n${host}Host: deny.test\r\n\r\n`, 'host_mismatch'],
  ['the same Host twice', `GET http://ok.test/ HTTP/1.1\r\n${host}${host}\r\n`, 'host_mismatch'],
  ['no Host', 'GET http://ok.test/ HTTP/1.1\r\n\r\n', 'host_mismatch'],
  ['an empty Host', 'GET http://ok.test/ HTTP/1.1\r\nHost:\r\n\r\n', 'invalid_target'],
  ['two names in one Host', 'GET http://ok.test/ HTTP/1.1\r\nHost: ok.test, deny.test\r\n\r\n', 'invalid_target'],
  ['user information', `GET http://ok.test@deny.test/ HTTP/1.1\r\n${host}\r\n`, 'invalid_target'],
  ['a fragment', `GET http://ok.test/#x HTTP/1.1\r\n${host}\r\n`, 'invalid_target'],
  ['HTTP/2.0 in a request line', `GET http://ok.test/ HTTP/2.0\r\n${host}\r\n`, 'version_not_supported'],
  ['HTTP/0.9 in a request line', `GET http://ok.test/ HTTP/0.9\r\n${host}\r\n`, 'version_not_supported'],
  ['HTTP/1.2', `GET http://ok.test/ HTTP/1.2\r\n${host}\r\n`, 'version_not_supported'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'malformed_request'],
  ['a lower-case method', `get http://ok.test/ HTTP/1.1\r\n${host}\r\n`, 'malformed_request'],
  ['tabs', `GET\thttp://ok.test/\tHTTP/1.1\r\n${host}\r\n`, 'malformed_request'],
  ['a space in the target', `GET http://ok.test/a b HTTP/1.1\r\n${host}\r\n`, 'malformed_request'],
  ['a byte over 0x7f in the path', `GET http://ok.test/\xe4 HTTP/1.1\r\n${host}\r\n`, 'malformed_request'],
  [
    'TE of HTTP/1.0',
    `POST http://ok.test/ HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'malformed_request',
  ],
  [
    'gzip, chunked',
    `POST http://ok.test/ HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    'malformed_request',
  ],
  [
    'CL and TE',
    `POST http://ok.test/ HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
    'malformed_request',
  ],
  [
    'CL twice',
    `POST http://ok.test/ HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 4\r\n\r\n`,
    'malformed_request',
  ],
  ['a folded field', `GET http://ok.test/ HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, 'malformed_request'],
  ['a bare LF', `GET http://ok.test/ HTTP/1.1\r\n${host}X: a\nY: b\r\n\r\n`, 'malformed_request'],
  ['a NUL', `GET http://ok.test/ HTTP/1.1\r\n${host}X: \0\r\n\r\n`, 'malformed_request'],
  ['a head too large', `GET http://ok.test/ HTTP/1.1\r\n${host}X: ${'x'.repeat(17_000)}\r\n\r\n`, 'header_too_large'],
  ['a target too large', `GET http://ok.test/${'x'.repeat(70_000)} HTTP/1.1\r\n${host}\r\n`, 'header_too_large'],
  [
    'an upgrade with content',
    `${get('/', 'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n')}hi`,
    'malformed_request',
  ],
])('%s is refused and the connection closed', async (_, bytes, code) => {
  const wired = await startEcho();
  const text = await exchange(wired.port, Buffer.from(bytes, 'latin1'));
  expect(text).toContain(`X-Proxy-Error: ${code}\r\n`);
  expect(text.toLowerCase()).toContain('connection: close\r\n');
  expect(wired.arrivals).toEqual([]);
  expect(wired.rejections.map((rejection) => rejection.code)).toEqual([code]);
});

test.each(['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'])(
  'a later CONNECT with %j is refused',
  async (more) => {
    const { port } = await startEcho();
    const connect = `CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test\r\n${more}\r\n`;
    const client = await connectRaw(port, get('/'));
    await client.until('<GET / >');
    client.write(connect);
    expect((await client.ended).text).toContain('malformed_request');
  },
);

test('a slow head is answered 408, also on a kept-alive connection', async () => {
  const { port } = await startEcho({ headTimeout: 400 });
  const client = await connectRaw(port, get('/'));
  await client.until('<GET / >');
  client.write('GET http://ok.test/ HTTP/1.1\r\nHo');
  expect((await client.ended).text).toContain('X-Proxy-Error: request_timeout');
});

test('HTTP/1.0 needs no Host', async () => {
  const { port } = await startEcho();
  expect(await exchange(port, 'GET http://ok.test/ HTTP/1.0\r\n\r\n')).toContain('<GET / >');
});

test('garbage behind a request never gets into the answer to it', async () => {
  const { port, arrivals } = await startWired({ arrived: () => undefined });
  const client = await connectRaw(port, get('/'));
  await eventually('the arrival', () => arrivals.length === 1);
  const { res } = arrivals[0] as RequestArrival;
  res.on('error', () => undefined);
  res.writeHead(200, { 'Content-Length': '1000' });
  (res as NodeJS.WritableStream).write('x'.repeat(10));
  await client.until('xxxxxxxxxx');
  client.write('garbage\r\n\r\n');
  const { how, text } = await client.ended;
  expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('xxxxxxxxxx');
  expect(how).toBe('reset');
  expect(res.destroyed).toBe(true);
});
