import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { clientSide } from '../../src/act/client-side.ts';
import type { RequestArrival } from '../../src/flow.ts';
import { startOnward, type Onward } from '../support/onward.ts';
import { eventually } from '../support/streams.ts';
import { VIA } from '../support/wiring.ts';
import { askHttp2, askOver, http2Over, tlsOver, type Asking } from '../support/tunnels.ts';

interface Seen {
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function socketTo({ port }: Onward): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function ask(onward: Onward, version: 1 | 2, asking: Asking): Promise<Seen> {
  const { method = 'GET', path = '/', headers = {}, body = '' } = asking;
  const socket = socketTo(onward);
  const host = `look.test:${onward.origin.port}`;
  if (version === 1) {
    const tls = await tlsOver(socket, { ca: onward.ca, servername: 'look.test' });
    const answered = await askOver(tls, { ...asking, headers: { host, ...headers } });
    return { ...answered, fields: answered.headers };
  }
  const session = await http2Over(socket, onward.ca, 'look.test');
  const pseudo = { ':method': method, ':path': path, ':authority': host };
  const answered = await askHttp2(session, { ...pseudo, ...headers }, String(body));
  return {
    status: answered.headers[':status'] ?? 0,
    fields: answered.headers,
    trailers: answered.trailers ?? {},
    body: answered.body,
  };
}

describe.each([1, 2] as const)('a decrypted request of HTTP/%i', (version) => {
  test('goes on over verified TLS as HTTP/1.1, and its answer comes back', async () => {
    const heads: unknown[] = [];
    const onward = await startOnward((req, res) => {
      heads.push([req.method, req.url, req.headers.host, req.headers.via, req.headers[':path'], req.headers['x-a']]);
      res.writeHead(299, 'Own Words', [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Keep-Alive',
        'timeout=9',
        'X-B',
        '2',
      ]);
      res.end('answered');
    });
    const path = '//a/b;c?d=%2F&e=[1]';
    const { status, fields, body } = await ask(onward, version, { path, headers: { 'x-a': '1' } });
    expect([status, body]).toEqual([299, 'answered']);
    expect(fields).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-b': '2', via: `1.1 ${VIA}` });
    expect(fields['keep-alive']).not.toBe('timeout=9');
    const via = version === 1 ? '1.1' : '2.0';
    const host = `look.test:${onward.origin.port}`;
    expect(heads).toEqual([['GET', path, host, `${via} ${VIA}`, undefined, '1']]);
    expect(await onward.outcome()).toMatchObject({
      kind: 'passed',
      status: 299,
      error: null,
      upstream: { address: '127.0.0.1', port: onward.origin.port },
    });
  });

  test.each([
    ['with a length', { 'content-length': '5' }],
    ['without one', version === 1 ? { 'transfer-encoding': 'chunked' } : {}],
  ])('has its body framed %s', async (_what, headers) => {
    const seen: string[] = [];
    const onward = await startOnward((req, res) => {
      let text = '';
      req.on('data', (chunk: Buffer) => (text += chunk.toString()));
      req.on('end', () => {
        seen.push(`${req.headers['content-length'] ?? req.headers['transfer-encoding'] ?? ''} ${text}`);
        res.writeHead(200, { Trailer: 'X-Sum' });
        res.write('ok');
        res.addTrailers([
          ['X-Sum', '42'],
          ['Host', 'no'],
          ['X-Sum', '43'],
        ]);
        res.end();
      });
    });
    const answered = await ask(onward, version, { method: 'POST', headers, body: 'hello' });
    expect(seen).toEqual([`${'content-length' in headers ? '5' : 'chunked'} hello`]);
    expect(answered).toMatchObject({ status: 200, body: 'ok', trailers: { 'x-sum': '42, 43' } });
    const { bytesIn, bytesOut } = await onward.outcome();
    expect(bytesIn).toBeGreaterThanOrEqual(5);
    expect(bytesOut).toBeGreaterThanOrEqual(2);
  });

  test.each(['GET', 'DELETE', 'OPTIONS'])('of %s without a body stays without', async (method) => {
    const seen: unknown[] = [];
    const onward = await startOnward((req, res) => {
      seen.push([req.method, req.headers['transfer-encoding'], req.headers['content-length'] ?? '0']);
      res.end();
    });
    expect((await ask(onward, version, { method })).status).toBe(200);
    expect(seen).toEqual([[method, undefined, '0']]);
  });

  test('gets no answer that looks whole where the origin breaks off', async () => {
    const onward = await startOnward((_req, res) => {
      res.writeHead(200, { 'Content-Length': '10' });
      res.write('half', () => res.socket?.destroy());
    });
    await expect(ask(onward, version, {})).rejects.toThrow();
    expect(await onward.outcome()).toMatchObject({ kind: 'failed', error: 'connection_terminated' });
  });

  test('is told where the origin cannot prove its name', async () => {
    const onward = await startOnward((_req, res) => res.end('secret'), false);
    const { status, fields, body } = await ask(onward, version, { headers: { authorization: 'Bearer k' } });
    expect([status, fields['x-proxy-error']]).toEqual([502, 'tls_certificate_error']);
    expect(body).not.toContain('secret');
    expect(await onward.outcome()).toMatchObject({ kind: 'failed', status: 502, error: 'tls_certificate_error' });
  });

  test('uses one connection to the origin again', async () => {
    const ports = new Set<number | undefined>();
    const onward = await startOnward((req, res) => {
      ports.add(req.socket.remotePort);
      res.end('ok');
    });
    for (let n = 0; n < 3; n += 1) {
      await ask(onward, version, {});
      await onward.outcome(n);
    }
    expect(ports.size).toBe(1);
  });
});

test.each([
  ['X-Content-Type-Options: nosniff\r\nx-content-type-options: nosniff', 'x-content-type-options', 'nosniff'],
  ['Content-Encoding: gzip\r\nContent-Encoding: br', 'content-encoding', 'gzip, br'],
  ['constructor: x', 'constructor', 'x'],
  ['WWW-Authenticate: Basic\r\nWWW-Authenticate: Negotiate', 'www-authenticate', 'Basic, Negotiate'],
])('a client of HTTP/2 gets an answer with %j', async (lines, name, value) => {
  const onward = await startOnward((req) => {
    req.socket.end(`HTTP/1.1 200 OK\r\n${lines}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi`);
  });
  const { status, fields, body } = await ask(onward, 2, {});
  expect([status, fields[name], body]).toEqual([200, value, 'hi']);
});

test.each(['000', '600', '999'])('a client of HTTP/2 is told of an answer with the status %s', async (status) => {
  const onward = await startOnward((req) => {
    req.socket.end(`HTTP/1.1 ${status} Odd\r\nX-A: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi`);
  });
  const answered = await ask(onward, 2, {});
  expect([answered.status, answered.fields['x-a']]).toEqual([502, undefined]);
});

test.each([8, 0])('a client of HTTP/2 that cancels by %i ends the request at the origin too', async (code) => {
  let gone = (): void => undefined;
  const closed = new Promise<void>((resolve) => (gone = resolve));
  const onward = await startOnward((_req, res) => {
    res.once('close', gone);
    res.write('first');
  });
  const session = await http2Over(socketTo(onward), onward.ca, 'look.test');
  const stream = session.request({ ':authority': `look.test:${onward.origin.port}` });
  stream.on('error', () => undefined);
  await new Promise((resolve) => stream.once('data', resolve));
  stream.close(code);
  await closed;
  expect(await onward.outcome()).toMatchObject({ kind: 'failed', error: 'client_closed' });
});

test.each([8, 0])('a client of HTTP/2 that cancels a stalled upload by %i is not told to continue it', async (code) => {
  const onward = await startOnward((_req, res) => res.end());
  let atOrigin: ServerResponse | null = null;
  onward.origin.https.on('checkContinue', (_req, res: ServerResponse) => (atOrigin = res));
  const session = await http2Over(socketTo(onward), onward.ca, 'look.test');
  const stream = session.request(
    { ':method': 'POST', ':authority': `look.test:${onward.origin.port}`, expect: '100-continue' },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  const fill = (): void => {
    while (!stream.destroyed && stream.write(Buffer.alloc(65_536)));
  };
  stream.on('drain', fill);
  fill();
  // The origin reads none of it, so that the upload stalls once all buffers are full.
  let [sent, unchanged] = [0, 0];
  await eventually('the body waits', () => {
    const { bytesWritten } = session.socket;
    unchanged = bytesWritten === sent ? unchanged + 1 : 0;
    sent = bytesWritten;
    return sent > 1024 * 1024 && unchanged > 30;
  });
  stream.close(code);
  // The ping is answered after the reset was read.
  await new Promise((resolve) => session.ping(resolve));
  (atOrigin as ServerResponse | null)?.writeContinue();
  expect(await onward.outcome()).toMatchObject({ kind: 'failed', error: 'client_closed', status: null });
});

test('a decrypted WebSocket is passed on', async () => {
  const server = new WebSocketServer({ noServer: true });
  const onward = await startOnward((_req, res) => res.end());
  onward.origin.https.on('upgrade', (req, socket, head) =>
    server.handleUpgrade(req, socket, head, (ws) =>
      ws.on('message', (data: Buffer) => ws.send(`${data.toString()} back`)),
    ),
  );
  const tls = await tlsOver(socketTo(onward), { ca: onward.ca, servername: 'look.test' });
  const ws = new WebSocket(`ws://look.test:${onward.origin.port}/`, { createConnection: () => tls });
  onTestFinished(() => ws.terminate());
  await new Promise((resolve) => ws.once('open', resolve));
  ws.send('there');
  expect(String(await new Promise((resolve) => ws.once('message', resolve)))).toBe('there back');
  ws.close(1000);
  expect(await onward.outcome()).toMatchObject({ kind: 'passed', status: 101, error: null });
});

test('a request and a response of different versions are a mistake of ours', () => {
  const arrival = { req: { headers: {} }, res: {} } as unknown as RequestArrival;
  expect(() => clientSide(arrival, 'x')).toThrow(/different versions/);
});
