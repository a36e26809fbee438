import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { blockUpgrade } from '../../src/act/block.ts';
import type { Outcome } from '../../src/flow.ts';
import { cannedOrigin, connectRaw, eventually, exchange, httpOrigin, tcpOrigin } from '../support/streams.ts';
import { failureAnswer, startWired, VIA, type Wired } from '../support/wiring.ts';

/** A WebSocket through the proxy by a request in absolute form, as clients of plain ws:// make it. */
function webSocket(proxy: number, origin: number): WebSocket {
  const socket = new WebSocket(`ws://ok.test:${origin}/chat?x=1`, {
    createConnection: () => connect(proxy, '127.0.0.1'),
    finishRequest: (request) => {
      request.path = `http://ok.test:${origin}/chat?x=1`;
      request.end();
    },
  });
  onTestFinished(() => socket.terminate());
  return socket;
}

function next(socket: WebSocket, event: 'message' | 'close' | 'open'): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    socket.once(event, (...args: unknown[]) => resolve(args));
    if (event !== 'close') socket.once('error', reject);
    else socket.on('error', () => undefined);
  });
}

const handshake = (port: number): string =>
  `GET http://ok.test:${port}/ HTTP/1.1\r\nHost: ok.test:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Proxy-Authorization: Basic c2VjcmV0\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

test('ws echoes through the proxy, in small and in large messages, and closes in good order', async () => {
  const origin = await httpOrigin((_req, res) => res.end());
  const heads: unknown[] = [];
  const server = new WebSocketServer({ server: origin.server });
  server.on('connection', (socket, req) => {
    heads.push([req.url, req.headers.host, req.headers.via, req.headers['proxy-authorization']]);
    socket.send('first word');
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  const wired = await startWired();
  const socket = webSocket(wired.port, origin.port);
  const first = next(socket, 'message');
  await next(socket, 'open');
  expect(String((await first)[0])).toBe('first word');
  for (const size of [1, 70_000, 5_000_000]) {
    socket.send(Buffer.alloc(size, 7));
    const [data] = (await next(socket, 'message')) as [Buffer];
    expect(data.equals(Buffer.alloc(size, 7))).toBe(true);
  }
  socket.close(1000, 'done');
  expect((await next(socket, 'close'))[0]).toBe(1000);
  expect(heads).toEqual([['/chat?x=1', `ok.test:${origin.port}`, `1.1 ${VIA}`, undefined]]);
  expect(await wired.outcome()).toMatchObject({ kind: 'passed', status: 101, error: null });
});

test('bytes on the heels of the handshake, from both sides, arrive', async () => {
  const origin = await tcpOrigin((socket) => {
    let seen = '';
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.endsWith('early')) socket.end('late');
      else if (seen.endsWith('\r\n\r\n'))
        socket.write('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nat once ');
    });
  });
  const { port } = await startWired();
  for (const more of ['', 'Content-Length: 0\r\n']) {
    const asked = handshake(origin.port).replace(/\r\n$/, `${more}\r\nearly`);
    expect(await exchange(port, asked)).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\nat once late$/s);
  }
});

test('an origin that refuses is heard, whole, and its body is framed by the end', async () => {
  const origin = await httpOrigin((_req, res) => {
    res.writeHead(404, { 'X-Own': 'y' });
    res.write('no such ');
    res.end('room');
  });
  const wired = await startWired();
  const text = await exchange(wired.port, handshake(origin.port));
  expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  expect(text).toContain('X-Own: y\r\n');
  expect(text.toLowerCase()).not.toContain('transfer-encoding');
  expect(text.endsWith('\r\n\r\nno such room')).toBe(true);
  expect(await wired.outcome()).toMatchObject({ kind: 'passed', status: 404 });
});

test('a client that sends FIN is still told the whole refusal', async () => {
  let finish = (): void => undefined;
  const origin = await httpOrigin((_req, res) => {
    res.writeHead(404, { 'Content-Length': 11 }).write('hello ');
    finish = () => void res.end('world');
  });
  const wired = await startWired();
  const client = await connectRaw(wired.port, handshake(origin.port));
  await client.until('hello ');
  client.socket.end();
  await new Promise((resolve) => setTimeout(resolve, 50));
  finish();
  expect((await client.ended).text.endsWith('\r\n\r\nhello world')).toBe(true);
  expect(await wired.outcome()).toMatchObject({ kind: 'passed', status: 404, error: null });
});

test('a refusal that breaks off is a reset, not a short answer', async () => {
  const origin = await cannedOrigin('HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'keep');
  const { port } = await startWired();
  const client = await connectRaw(port, handshake(origin.port));
  await client.until('abc');
  for (const socket of origin.open) socket.resetAndDestroy();
  expect((await client.ended).how).toBe('reset');
});

test.each([
  ['garbage', 'garbage\r\n\r\n', '502 upstream_protocol_error'],
  ['a coding of its own', 'HTTP/1.1 404 No\r\nTransfer-Encoding: gzip\r\n\r\nabc', '502 upstream_protocol_error'],
  ['nothing but an end', '', '502 connection_terminated'],
  ['a status that is none', 'HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n', '502 upstream_protocol_error'],
  ['a control character', 'HTTP/1.1 404 N\x01o\r\nContent-Length: 0\r\n\r\n', '502 upstream_protocol_error'],
  [
    'a control character as it switches',
    'HTTP/1.1 101 N\x7fo\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    '502 upstream_protocol_error',
  ],
])('an origin that answers with %s is a 502', async (_, answer, expected) => {
  const origin = await cannedOrigin(answer);
  const { port } = await startWired();
  expect(await exchange(port, handshake(origin.port))).toContain(`HTTP/1.1 ${expected}`);
  await eventually('the origin is free', () => origin.open.size === 0);
});

test('an origin that says nothing is a 504', async () => {
  const origin = await tcpOrigin((socket) => void socket.resume().on('end', () => socket.end()));
  const { port } = await startWired({ idleTimeout: 300 });
  expect(await exchange(port, handshake(origin.port))).toContain('HTTP/1.1 504 idle_timeout');
});

test('an origin that takes a handshake and does not begin to answer is a 504 of its own', async () => {
  const origin = await tcpOrigin((socket) => void socket.resume().on('end', () => socket.end()));
  const { port } = await startWired({ responseTimeout: 300 });
  expect(await exchange(port, handshake(origin.port))).toContain('HTTP/1.1 504 response_timeout');
});

test('the bytes of earlier requests on the connection are not counted', async () => {
  const web = await tcpOrigin((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nabc'));
  });
  const big = await httpOrigin((_req, res) => res.end('x'.repeat(100_000)));
  const wired = await startWired();
  const client = await connectRaw(
    wired.port,
    `GET http://ok.test:${big.port}/ HTTP/1.1\r\nHost: ok.test:${big.port}\r\n\r\n`,
  );
  await client.until('x'.repeat(100_000));
  await wired.outcome();
  client.write(handshake(web.port));
  await client.ended;
  const { bytesIn, bytesOut } = await wired.outcome(1);
  expect(bytesIn).toBe(0);
  expect(bytesOut).toBeLessThan(1_000);
});

test('a client that goes while the origin thinks frees it, and is the one who failed', async () => {
  const origin = await tcpOrigin((socket) => void socket.resume().on('end', () => socket.end()));
  const wired = await startWired();
  const client = await connectRaw(wired.port, handshake(origin.port));
  await eventually('the handshake is at the origin', () => origin.open.size === 1);
  client.socket.resetAndDestroy();
  expect(await wired.outcome()).toMatchObject({ kind: 'failed', error: 'client_closed' });
  await eventually('the origin is free', () => origin.open.size === 0);
});

async function startBlocking(denial: Parameters<typeof blockUpgrade>[1]): Promise<Wired & { blocked: Outcome[] }> {
  const blocked: Outcome[] = [];
  const wired = await startWired({
    arrived: (arrival) => {
      if (arrival.kind === 'upgrade') void blockUpgrade(arrival, denial).then((outcome) => blocked.push(outcome));
    },
  });
  return { ...wired, blocked };
}

test('a blocked WebSocket closes with 1008 and a reason that ws reads', async () => {
  const reason = `Blocked by company policy – ask in the portal ${'x'.repeat(70)}`;
  const wired = await startBlocking({ kind: 'close', messages: [], reason, headers: {} });
  const [code, text] = await next(webSocket(wired.port, 80), 'close');
  expect([code, String(text)]).toEqual([1008, reason]);
  await eventually('the outcome', () => wired.blocked.length === 1);
  expect(wired.blocked[0]).toMatchObject({ kind: 'blocked', answer: 'websocket', status: 101 });
});

test.each([
  ['chat', 'chat'],
  ['  chat , sk-secret', 'chat'],
  [',chat', null],
  ['a chat', null],
  ['ch\u00e4t', null],
])('a blocked WebSocket that offers %j is given %j', async (offered, given) => {
  const wired = await startBlocking({
    kind: 'close',
    messages: [],
    reason: 'no',
    headers: { 'X-Proxy-Error': 'policy_denied' },
  });
  const head = handshake(80).replace(/\r\n$/, `Sec-WebSocket-Protocol: ${offered}\r\n\r\n`);
  const answer = await exchange(wired.port, head);
  expect(answer).toMatch(/^HTTP\/1\.1 101 [^]*\r\nX-Proxy-Error: policy_denied\r\n/);
  expect(/Sec-WebSocket-Protocol: (.*)\r/.exec(answer)?.[1] ?? null).toBe(given);
  expect(answer).not.toContain('sk-secret');
});

test('a blocked WebSocket may be answered instead', async () => {
  const wired = await startBlocking({ kind: 'answer', answer: failureAnswer('policy_denied') });
  expect(await exchange(wired.port, handshake(80))).toMatch(/^HTTP\/1\.1 403 policy_denied\r\n/);
  await eventually('the outcome', () => wired.blocked.length === 1);
  expect(wired.blocked[0]).toMatchObject({ kind: 'blocked', answer: 'failed', status: 403 });
});

test.each(['close', 'answer'] as const)(
  'a client that does not end a blocked WebSocket (%s) is ended',
  async (kind) => {
    const wired = await startBlocking(
      kind === 'close'
        ? { kind, messages: [], reason: 'no', headers: {} }
        : { kind, answer: failureAnswer('policy_denied') },
    );
    const socket = connect({ port: wired.port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined).resume();
    socket.write(handshake(80));
    await eventually('it is over', () => wired.blocked.length === 1 && wired.connections() === 0);
  },
);

test('a prohibited destination is answered, not dialled', async () => {
  const wired = await startWired({ allow: [] });
  expect(await exchange(wired.port, handshake(80))).toContain('HTTP/1.1 403 destination_prohibited');
});
