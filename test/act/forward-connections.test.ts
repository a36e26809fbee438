import { expect, test } from 'vitest';
import { connectRaw, eventually, exchange, httpOrigin, tcpOrigin } from '../support/streams.ts';
import { startWired, VIA } from '../support/wiring.ts';

function ask(method: string, port: number, path: string, fields = '', body = ''): string {
  return `${method} http://ok.test:${port}${path} HTTP/1.1\r\nHost: ok.test:${port}\r\n${fields}\r\n${body}`;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** An origin whose first connection answers one request, and ends by RST on the second. */
async function staleOrigin() {
  let connections = 0;
  return tcpOrigin((socket) => {
    connections += 1;
    const first = connections === 1;
    let requests = 0;
    socket.on('data', () => {
      requests += 1;
      if (first && requests === 2) socket.resetAndDestroy();
      else socket.write(ok);
    });
  });
}

test('connections to an origin are kept and used again', async () => {
  const origin = await httpOrigin((_req, res) => res.end('ok'));
  const { port } = await startWired();
  for (let i = 0; i < 5; i += 1) await exchange(port, ask('GET', origin.port, `/${i}`, 'Connection: close\r\n'));
  expect(origin.taken()).toBe(1);
});

test('as many connections are kept as there were requests at once', async () => {
  const together = 100;
  const waiting: (() => void)[] = [];
  const origin = await httpOrigin((_req, res) => {
    waiting.push(() => res.end('ok'));
    if (waiting.length === together) for (const answer of waiting.splice(0)) answer();
  });
  const { port } = await startWired();
  const wave = () =>
    Promise.all(
      Array.from({ length: together }, () => exchange(port, ask('GET', origin.port, '/', 'Connection: close\r\n'))),
    );
  for (const answer of [...(await wave()), ...(await wave())]) expect(answer).toContain('HTTP/1.1 200 OK');
  expect(origin.taken()).toBe(together);
});

test('a GET on a kept connection that the origin just ended is sent again, once', async () => {
  const origin = await staleOrigin();
  const { port } = await startWired();
  const client = await connectRaw(port, ask('GET', origin.port, '/1'));
  await client.until('ok');
  client.write(ask('GET', origin.port, '/2', 'Connection: close\r\n'));
  expect((await client.ended).text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  expect(origin.taken()).toBe(2);
});

test('a body that came while its request had to wait goes on', async () => {
  const origin = await httpOrigin((req, res) => {
    let body = '';
    req.on('data', (chunk: Buffer) => (body += chunk.toString()));
    req.on('end', () => res.end(`[${req.headers['content-length'] ?? 'none'} ${body}]`));
  });
  const { port } = await startWired();
  const asked = [
    ask('GET', origin.port, '/1'),
    ask('POST', origin.port, '/2', 'Content-Length: 5\r\n', 'hello'),
    ask('POST', origin.port, '/3', 'Connection: close\r\n'),
  ];
  const answers = await exchange(port, asked.join(''));
  expect(answers.match(/\[.*\]/g)).toEqual(['[none ]', '[5 hello]', '[0 ]']);
});

test('a POST is never sent again', async () => {
  const origin = await staleOrigin();
  const { port } = await startWired();
  const client = await connectRaw(port, ask('GET', origin.port, '/1'));
  await client.until('ok');
  client.write(ask('POST', origin.port, '/2', 'Content-Length: 2\r\n', 'hi'));
  expect((await client.ended).text).toContain('HTTP/1.1 502 connection_terminated');
  expect(origin.taken()).toBe(1);
});

test('an origin that always ends at once is a 502', async () => {
  const origin = await tcpOrigin((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const { port } = await startWired();
  expect(await exchange(port, ask('GET', origin.port, '/'))).toContain('HTTP/1.1 502 connection_terminated');
  expect(origin.taken()).toBe(1);
});

test('a spare answer on a kept connection is nobody else’s', async () => {
  const spare = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen';
  const origin = await tcpOrigin((socket) => socket.on('data', () => socket.write(ok + spare)));
  const { port } = await startWired();
  for (let i = 0; i < 3; i += 1)
    expect(await exchange(port, ask('GET', origin.port, '/', 'Connection: close\r\n'))).not.toContain('stolen');
});

test('what an origin says on a kept connection before it is asked is nobody’s answer', async () => {
  const spare = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen';
  const origin = await tcpOrigin((socket) => {
    socket.on('data', () => socket.write(ok)).on('end', () => socket.end());
  });
  const { port } = await startWired();
  for (let i = 0; i < 3; i += 1) {
    expect(await exchange(port, ask('GET', origin.port, '/', 'Connection: close\r\n'))).not.toContain('stolen');
    for (const socket of origin.open) socket.write(spare);
    await eventually('no connection to the origin', () => origin.open.size === 0);
  }
});

test('an early answer reaches a client that is still sending', async () => {
  const origin = await tcpOrigin((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'));
  });
  const wired = await startWired({ idleTimeout: 3_000 });
  const client = await connectRaw(wired.port, ask('POST', origin.port, '/', 'Content-Length: 30000000\r\n'));
  client.write(Buffer.alloc(1_000_000));
  expect(await client.until('no')).toContain('HTTP/1.1 413 Too Large');
  expect(await wired.outcome()).toMatchObject({ kind: 'passed', status: 413 });
  client.write(Buffer.alloc(5_000_000));
  await client.ended;
  await eventually('no connection', () => wired.connections() === 0 && origin.open.size === 0);
});

test.each(['before the answer', 'in the answer', 'in the request'])(
  'a client that goes %s frees the origin',
  async (when) => {
    const origin = await tcpOrigin((socket) => {
      socket.on('end', () => socket.end());
      socket.on('data', () => {
        if (when === 'in the answer') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc');
      });
    });
    const wired = await startWired();
    const body = when === 'in the request' ? 'Content-Length: 10\r\n' : '';
    const clients = await Promise.all(
      Array.from({ length: 10 }, () =>
        connectRaw(wired.port, ask('POST', origin.port, '/', body || 'Content-Length: 0\r\n')),
      ),
    );
    await eventually('all at the origin', () => origin.open.size === 10);
    if (when === 'in the answer') await Promise.all(clients.map((client) => client.until('abc')));
    for (const client of clients) client.socket.destroy();
    await eventually('the origin is free', () => origin.open.size === 0 && wired.connections() === 0);
    await eventually('all outcomes', () => wired.outcomes.length === 10);
    for (const outcome of wired.outcomes) expect(outcome).toMatchObject({ kind: 'failed', error: 'client_closed' });
  },
);

test('our own name in Via is a loop', async () => {
  const origin = await httpOrigin((_req, res) => res.end('ok'));
  const { port } = await startWired();
  const text = await exchange(port, ask('GET', origin.port, '/', `Via: 1.1 other, 1.0 ${VIA} (comment)\r\n`));
  expect(text).toContain('HTTP/1.1 502 loop_detected');
  expect(origin.taken()).toBe(0);
});

test('a silent origin is a 504 at the idle limit, though the client has the same limit', async () => {
  const origin = await tcpOrigin((socket) => void socket.resume().on('end', () => socket.end()));
  const wired = await startWired({ idleTimeout: 600 });
  expect(await exchange(wired.port, ask('GET', origin.port, '/'))).toContain('HTTP/1.1 504 idle_timeout');
  expect(await wired.outcome()).toMatchObject({ kind: 'failed', error: 'idle_timeout', status: 504 });
  await eventually('the origin is free', () => origin.open.size === 0);
});

test('an origin that thinks longer than unused connections are kept is waited for', async () => {
  const origin = await httpOrigin((_req, res) => void setTimeout(() => res.end('late'), 5_000));
  const { port } = await startWired();
  expect(await exchange(port, ask('GET', origin.port, '/', 'Connection: close\r\n'))).toContain('late');
});

test('a refused connection is a 502, a prohibited address a 403, and nothing is dialled for it', async () => {
  const origin = await httpOrigin((_req, res) => res.end('ok'));
  const wired = await startWired({ allow: [{ match: 'host', value: 'ok.test', port: 1 }] });
  expect(await exchange(wired.port, ask('GET', 1, '/'))).toContain('HTTP/1.1 502 connection_refused');
  const none = await startWired({ hosts: { 'ok.test': '127.0.0.1' }, allow: [] });
  expect(await exchange(none.port, 'GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n')).toContain(
    'destination_prohibited',
  );
  expect(await exchange(none.port, ask('GET', origin.port, '/'))).toContain('port_prohibited');
  expect(origin.taken()).toBe(0);
});

test('a kept connection to an address that this request may not reach is not written to', async () => {
  const paths: string[] = [];
  const origin = await httpOrigin((req, res) => {
    paths.push(req.url ?? '');
    res.end('ok');
  });
  let may = true;
  const { port } = await startWired({ mayReach: (address) => may && address === '127.0.0.1' });
  expect(await exchange(port, ask('GET', origin.port, '/1', 'Connection: close\r\n'))).toMatch(/^HTTP\/1.1 200 /);
  may = false;
  const denied = await exchange(port, ask('GET', origin.port, '/2', 'Connection: close\r\n'));
  expect(denied).toMatch(/^HTTP\/1.1 403 destination_prohibited/);
  may = true;
  expect(await exchange(port, ask('GET', origin.port, '/3', 'Connection: close\r\n'))).toMatch(/^HTTP\/1.1 200 /);
  expect(paths).toEqual(['/1', '/3']);
});

test('a request whose client has gone by the time it may go on is recorded, and nothing is dialled', async () => {
  const origin = await httpOrigin((_req, res) => res.end('ok'));
  let goOn = (): void => undefined;
  const wired = await startWired({ actAfter: new Promise((resolve) => (goOn = resolve)) });
  const client = await connectRaw(wired.port, ask('GET', origin.port, '/'));
  await eventually('it has arrived', () => wired.arrivals.length === 1);
  client.socket.resetAndDestroy();
  await eventually('the proxy knows that its client is gone', () => wired.connections() === 0);
  goOn();
  expect(await wired.outcome()).toMatchObject({ kind: 'failed', error: 'client_closed', status: null, upstream: null });
  expect(origin.taken()).toBe(0);
});
