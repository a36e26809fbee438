import { createHash, randomBytes } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { cannedOrigin, connectRaw, eventually, exchange, httpOrigin, tcpOrigin } from '../support/streams.ts';
import { startWired, VIA } from '../support/wiring.ts';

/** A request in absolute form as raw bytes. */
function ask(method: string, port: number, path: string, fields = '', body = ''): string {
  return `${method} http://ok.test:${port}${path} HTTP/1.1\r\nHost: ok.test:${port}\r\n${fields}\r\n${body}`;
}

const close = 'Connection: close\r\n';

/** An origin that keeps, byte by byte, what it was sent, and answers each message that ends in `end`. */
async function recorder(answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', end = '\r\n\r\n') {
  let seen = '';
  const origin = await tcpOrigin((socket) => {
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1');
      if (seen.endsWith(end)) socket.write(answer);
    });
    socket.on('end', () => socket.end());
  });
  return { ...origin, seen: () => seen };
}

test('a request goes on with Via and its own path, the answer comes back with Via and in its own order', async () => {
  const origin = await recorder('HTTP/1.1 299 Own Words\r\nB: 1\r\na: 2\r\nb: 3\r\nContent-Length: 2\r\n\r\nok');
  const wired = await startWired();
  const odd = '//a//b/../c;d=%2F%zz?x=[1]&y=\'{"|^`}\\<>&&?';
  const text = await exchange(wired.port, ask('GET', origin.port, odd, `X-A: 1\r\nVia: 1.0 other\r\n${close}`));
  expect(text).toMatch(/^HTTP\/1\.1 299 Own Words\r\nB: 1\r\na: 2\r\nb: 3\r\n/);
  expect(text).toContain(`\r\nVia: 1.1 ${VIA}\r\n`);
  const lines = origin.seen().split('\r\n');
  expect(lines[0]).toBe(`GET ${odd} HTTP/1.1`);
  expect(lines).toContain(`via: 1.0 other, 1.1 ${VIA}`);
  expect(lines).toContain(`host: ok.test:${origin.port}`);
  const outcome = await wired.outcome();
  expect(outcome).toMatchObject({
    kind: 'passed',
    status: 299,
    error: null,
    upstream: { address: '127.0.0.1', port: origin.port },
  });
  expect(outcome.bytesOut).toBe(text.length);
});

test('credentials for the proxy and fields of one hop go no further, on any request of a connection', async () => {
  const origin = await recorder();
  const { port } = await startWired();
  const hop =
    'Proxy-Authorization: Basic c2VjcmV0\r\nProxy-Connection: x\r\nTE: trailers\r\nKeep-Alive: 5\r\nTrailer: x\r\n';
  const fields = `${hop}Connection: X-Secret, Host, Authorization\r\nX-Secret: 1\r\nAuthorization: kept\r\n`;
  const client = await connectRaw(port, ask('GET', origin.port, '/1', fields));
  await client.until('ok');
  client.write(ask('GET', origin.port, '/2', hop + close));
  await client.ended;
  expect(origin.seen()).not.toMatch(/c2VjcmV0|proxy-(?!under)|x-secret|\r\nte:|\r\ntrailer:|keep-alive: 5/i);
  expect(origin.seen()).toContain('authorization: kept');
  expect(origin.seen().match(/host: ok\.test/g)).toHaveLength(2);
});

test.each(['GET', 'DELETE', 'OPTIONS', 'POST', 'PROPFIND', 'QUERY'])(
  'a chunked body on %s stays framed',
  async (method) => {
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: deny.test\r\n\r\n';
    const seen: string[] = [];
    const origin = await httpOrigin((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += chunk.toString()));
      req.on('end', () => {
        seen.push(`${req.method ?? ''} ${req.url ?? ''} ${body}`);
        res.end('done');
      });
    });
    const { port } = await startWired();
    const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
    await exchange(port, ask(method, origin.port, '/', `Transfer-Encoding: chunked\r\n${close}`, chunk));
    expect(seen).toEqual([`${method} / ${smuggled}`]);
  },
);

test('bodies stream both ways at once, and their trailers go along', async () => {
  const origin = await httpOrigin((req, res) => {
    res.writeHead(200, { Trailer: 'X-Sum' });
    req.on('data', (chunk: Buffer) => res.write(chunk));
    req.on('end', () => {
      res.addTrailers({ 'X-Sum': req.trailers['x-sum'] ?? 'none', 'Set-Cookie': '9', Via: 'x' });
      res.end();
    });
  });
  const { port } = await startWired();
  const client = await connectRaw(
    port,
    ask('POST', origin.port, '/', 'Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n'),
  );
  for (const letter of 'abc') {
    client.write(`1\r\n${letter}\r\n`);
    await client.until(`1\r\n${letter}\r\n`);
  }
  client.write('0\r\nX-Sum: 42\r\nAuthorization: no\r\nHost: no\r\n\r\n');
  expect(await client.until(/0\r\nX-Sum: 42\r\n\r\n$/)).not.toContain('Set-Cookie');
});

test('a Trailer field without a body does no harm', async () => {
  const origin = await httpOrigin((_req, res) => res.writeHead(200, { Trailer: 'x' }).end());
  const { port } = await startWired();
  expect(await exchange(port, ask('GET', origin.port, '/', `Trailer: x\r\n${close}`))).toMatch(/^HTTP\/1\.1 200 /);
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('a field named %s does no harm', async (name) => {
  const origin = await cannedOrigin(`HTTP/1.1 200 OK\r\n${name}: back\r\nContent-Length: 2\r\n\r\nok`);
  const { port } = await startWired();
  const text = await exchange(port, ask('GET', origin.port, '/', `${name}: x\r\nConnection: close, ${name}\r\n`));
  expect(text).toMatch(/^HTTP\/1\.1 200 OK.*ok$/s);
});

test('100 Set-Cookie and 100 Cookie fields are kept apart and in order', async () => {
  const cookies = Array.from({ length: 100 }, (_, i) => `c${i}=v`);
  const origin = await recorder(
    `HTTP/1.1 200 OK\r\n${cookies.map((c) => `Set-Cookie: ${c}\r\n`).join('')}Content-Length: 0\r\n\r\n`,
  );
  const { port } = await startWired();
  const text = await exchange(
    port,
    ask('GET', origin.port, '/', cookies.map((c) => `Cookie: ${c}\r\n`).join('') + close),
  );
  expect([...text.matchAll(/Set-Cookie: (.*)\r/g)].map((match) => match[1])).toEqual(cookies);
  expect(origin.seen()).toContain(`cookie: ${cookies.join('; ')}\r\n`);
});

test('Expect: 100-continue is asked of the origin, and its 100 passed back before the body is sent', async () => {
  const origin = await recorder('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'hello');
  origin.open.clear();
  const { port } = await startWired();
  const client = await connectRaw(port, ask('POST', origin.port, '/', 'Expect: 100-continue\r\nContent-Length: 5\r\n'));
  await eventually('the head at the origin', () => origin.seen().endsWith('\r\n\r\n'));
  expect(origin.seen().toLowerCase()).toContain('expect: 100-continue');
  expect(client.seen()).toBe('');
  for (const socket of origin.open) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  await client.until('HTTP/1.1 100 Continue\r\n\r\n');
  client.write('hello');
  await client.until(/\r\n\r\nok$/);
});

test('an origin that refuses the expectation is believed, and no body is asked for', async () => {
  const origin = await cannedOrigin('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
  const { port } = await startWired();
  const client = await connectRaw(port, ask('POST', origin.port, '/', 'Expect: 100-continue\r\nContent-Length: 5\r\n'));
  expect(await client.until('no')).toMatch(/^HTTP\/1\.1 413 Too Large/);
});

test('a 100 that nobody asked for reaches no client of HTTP/1.0', async () => {
  const origin = await cannedOrigin('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const { port } = await startWired();
  expect(await exchange(port, `GET http://ok.test:${origin.port}/ HTTP/1.0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 OK/);
});

test.each([
  [
    'HEAD',
    'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n',
    /^HTTP\/1\.1 200 OK\r\n.*Content-Length: 50\r\n.*\r\n\r\n$/s,
  ],
  ['GET', 'HTTP/1.1 204 No Content\r\nX: y\r\n\r\n', /^HTTP\/1\.1 204 No Content\r\nX: y\r\n.*\r\n\r\n$/s],
  ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 9\r\n\r\n', /^HTTP\/1\.1 304 .*\r\n\r\n$/s],
  [
    'GET',
    'HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    /HTTP\/1\.1 200 OK.*ok$/s,
  ],
  [
    'GET',
    'HTTP/1.1 200 OK\r\n\r\nuntil the end',
    /Transfer-Encoding: chunked\r\n.*\r\nd\r\nuntil the end\r\n0\r\n\r\n$/s,
  ],
  ['GET', 'HTTP/1.0 200 OK\r\n\r\nold', /^HTTP\/1\.1 200 OK.*3\r\nold\r\n0\r\n\r\n$/s],
  ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nspare', /\r\n\r\nok$/],
  [
    'GET',
    'HTTP/1.1 407 Own\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n',
    /^HTTP\/1\.1 407 Own\r\n(?!.*Proxy-Auth)/s,
  ],
])('%s answered %j', async (method, answer, expected) => {
  const origin = await cannedOrigin(answer);
  const { port } = await startWired();
  expect(await exchange(port, ask(method, origin.port, '/', close))).toMatch(expected);
});

test.each([
  ['garbage', 'garbage\r\n\r\n'],
  ['HTTP/0.9 text', '<html>'],
  ['CL and TE', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['two CL', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'],
  ['TE gzip', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc'],
  ['a bare LF', 'HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n'],
  ['a folded field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
  ['a head of 20 KiB', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
  ['a version that is none', 'HTTP/3.7 200 OK\r\nContent-Length: 0\r\n\r\n'],
])('%s from the origin is a 502', async (_, answer) => {
  const origin = await cannedOrigin(answer);
  const wired = await startWired({ idleTimeout: 4_000 });
  const text = await exchange(wired.port, ask('GET', origin.port, '/'));
  expect(text).toContain('HTTP/1.1 502 upstream_protocol_error\r\n');
  expect(await wired.outcome()).toMatchObject({ kind: 'failed', status: 502, error: 'upstream_protocol_error' });
  await eventually('no connection to the origin', () => origin.open.size === 0);
});

test.each([
  ['an early end', 'Content-Length: 9', 'abc', ''],
  ['an end between chunks', 'Transfer-Encoding: chunked', '3\r\nabc\r\n', ''],
  ['a bad chunk', 'Transfer-Encoding: chunked', '3\r\nabc\r\n', 'zz\r\n'],
])('%s of a body is an answer cut by RST, never a whole one', async (_, framing, first, rest) => {
  const origin = await tcpOrigin((socket) =>
    socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${first}`)),
  );
  const wired = await startWired();
  const client = await connectRaw(wired.port, ask('GET', origin.port, '/'));
  await client.until('abc');
  for (const socket of origin.open) socket.end(rest);
  const { how, text } = await client.ended;
  expect(how).toBe('reset');
  expect(text).not.toContain('\r\n0\r\n\r\n');
  expect(await wired.outcome()).toMatchObject({ kind: 'failed', error: 'connection_terminated' });
});

test.each([10, 3_000_000])('a reset behind %i bytes of a body without a length is no end of it', async (length) => {
  const origin = await tcpOrigin((socket) =>
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(length)}`);
    }),
  );
  const wired = await startWired();
  const client = await connectRaw(wired.port, ask('GET', origin.port, '/'));
  await client.until('xxx');
  for (const socket of origin.open) socket.resetAndDestroy();
  const { how, text } = await client.ended;
  expect(how).toBe('reset');
  expect(text).not.toContain('\r\n0\r\n\r\n');
  expect(await wired.outcome()).toMatchObject({ kind: 'failed', error: 'connection_terminated' });
});

test('a 40 MB body arrives whole in both directions', async () => {
  const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const body = randomBytes(40_000_000);
  const origin = await httpOrigin((req, res) => void req.pipe(res));
  const { port } = await startWired();
  const back = await new Promise<Buffer>((resolve, reject) => {
    const path = `http://ok.test:${origin.port}/`;
    const req = request({ port, host: '127.0.0.1', method: 'PUT', path, headers: { Host: `ok.test:${origin.port}` } });
    req.on('error', reject).on('response', (res: IncomingMessage) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)));
    });
    req.end(body);
  });
  expect(hash(back)).toBe(hash(body));
});
