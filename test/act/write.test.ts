import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { reset } from '../../src/reset.ts';
import { answerAndEnd, sendAnswer } from '../../src/act/write.ts';
import type { Answer } from '../../src/flow.ts';
import { connectRaw, eventually, exchange, rawClient, socketPair } from '../support/streams.ts';
import { startWired, type Settings, type Wired } from '../support/wiring.ts';

const run = promisify(execFile);
const answer = (more: Partial<Answer> = {}): Answer => ({
  name: 'test',
  status: 403,
  reason: 'Blocked by policy',
  headers: { 'X-Proxy-Error': 'policy_denied' },
  body: Buffer.from('{"error":"blocked"}'),
  ...more,
});

async function blocking(more: Partial<Answer> = {}, settings: Settings = {}): Promise<Wired & { sent: number[] }> {
  const sent: number[] = [];
  const wired = await startWired({
    ...settings,
    arrived: (arrival) => {
      if ('res' in arrival) void sendAnswer(arrival.req, arrival.res, answer(more)).then((n) => sent.push(n));
    },
  });
  return { ...wired, sent };
}

const get = (method: string): string => `${method} http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n`;

test('an answer is complete, says that the connection ends, and ends it', async () => {
  const { port, sent } = await blocking();
  const text = await exchange(port, get('GET'));
  expect(text).toMatch(/^HTTP\/1\.1 403 Blocked by policy\r\n/);
  expect(text).toContain('Content-Length: 19\r\n');
  expect(text).toContain('Connection: close\r\n');
  expect(text.endsWith('\r\n\r\n{"error":"blocked"}')).toBe(true);
  expect(sent).toEqual([19]);
});

test('HEAD has the length and no body', async () => {
  const { port, sent } = await blocking();
  const text = await exchange(port, get('HEAD'));
  expect(text).toContain('Content-Length: 19\r\n');
  expect(text.endsWith('\r\n\r\n')).toBe(true);
  expect(sent).toEqual([0]);
});

test('204 has neither', async () => {
  const { port } = await blocking({ status: 204, body: Buffer.alloc(0) });
  const text = await exchange(port, get('OPTIONS'));
  expect(text).toMatch(/^HTTP\/1\.1 204 /);
  expect(text.toLowerCase()).not.toContain('content-length');
});

test('an answer reaches a client that first sends its 30 MB, whole', async () => {
  const { port } = await blocking();
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.pause();
  const client = rawClient(socket);
  socket.pause();
  client.write('POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 30000000\r\n\r\n');
  await new Promise((resolve, reject) => socket.once('error', reject).write(Buffer.alloc(30_000_000), resolve));
  socket.resume();
  const { how, text } = await client.ended;
  expect(how).toBe('fin');
  expect(text.endsWith('\r\n\r\n{"error":"blocked"}')).toBe(true);
});

test('curl reads the answer to an upload of 30 MB, with and without asking first', async () => {
  const { port } = await blocking();
  for (const expectation of ['Expect:', 'Expect: 100-continue']) {
    const args = ['-sS', '-x', `http://127.0.0.1:${port}`, '-H', expectation, '-T', '-', 'http://ok.test/up'];
    const child = run('curl', args);
    child.child.stdin?.on('error', () => undefined).end(Buffer.alloc(30_000_000));
    expect((await child).stdout).toBe('{"error":"blocked"}');
  }
});

test('a client that asked first and was refused is not waited for', async () => {
  const { port } = await blocking();
  const started = performance.now();
  const head =
    'POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 1073741824\r\nExpect: 100-continue\r\n\r\n';
  const text = await exchange(port, head);
  expect(text).toMatch(/^HTTP\/1\.1 403 /);
  expect(performance.now() - started).toBeLessThan(1_500);
});

test('a client that never ends its body is ended', async () => {
  const wired = await blocking();
  const client = await connectRaw(
    wired.port,
    'POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 9\r\n\r\nab',
  );
  await client.until('{"error":"blocked"}');
  await eventually('no connection', () => wired.connections() === 0);
});

test('a body beyond the limit is not read to its end, and is no second request', async () => {
  const wired = await blocking();
  const client = await connectRaw(
    wired.port,
    'POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 1073741824\r\n\r\n',
  );
  const block = Buffer.alloc(1_000_000, get('GET'));
  let written = 0;
  const more = (): void => {
    while (!client.socket.destroyed && written < 200) {
      written += 1;
      if (!client.socket.write(block)) return;
    }
  };
  client.socket.on('drain', more);
  more();
  await client.ended;
  expect(written).toBeLessThan(200);
  expect(wired.arrivals).toHaveLength(1);
});

test('a client that never reads is ended by the idle limit', async () => {
  const wired = await blocking({ body: Buffer.alloc(30_000_000) }, { idleTimeout: 300 });
  const socket = connect({ port: wired.port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(get('GET'));
  await eventually('no connection', () => wired.arrivals.length === 1 && wired.connections() === 0);
});

test('on a bare socket, the answer is readable although the peer goes on sending', async () => {
  const { near, far } = await socketPair();
  const client = rawClient(far);
  client.write(Buffer.alloc(2_000_000));
  const done = answerAndEnd(near, answer());
  await client.until('{"error":"blocked"}');
  client.socket.end();
  expect(await done).toBe(client.seen().length);
  expect(client.seen()).toMatch(
    /^HTTP\/1\.1 403 Blocked by policy\r\nX-Proxy-Error: policy_denied\r\nContent-Length: 19\r\n/,
  );
});

test.each([
  ['reads them', 1],
  ['reads nothing, and goes', 20_000_000],
])(
  'bytes that were laid out before are given back once, when their connection is closed: a peer that %s',
  async (how, size) => {
    const { near, far } = await socketPair();
    let givenBack = 0;
    const giveBack = (): void => {
      expect(near.closed).toBe(true);
      givenBack += 1;
    };
    const done = answerAndEnd(near, answer({ whole: { bytes: Buffer.alloc(size, 'w'), giveBack } }));
    if (how === 'reads them') {
      const client = rawClient(far);
      await client.until('w');
      client.socket.end();
    } else far.resetAndDestroy();
    expect(await done).toBe(size);
    expect(givenBack).toBe(1);
  },
);

test.each(['never closes', 'is gone', 'resets'])('on a bare socket, a peer that %s holds nobody up', async (how) => {
  const { near, far } = await socketPair();
  if (how === 'is gone') near.destroy();
  if (how === 'resets') far.resetAndDestroy();
  await answerAndEnd(near, answer());
  expect(near.destroyed).toBe(true);
});

test('reset is seen as a reset, and closes a socket in any state', async () => {
  const { near, far } = await socketPair();
  const client = rawClient(far);
  reset(near);
  reset(near);
  expect((await client.ended).how).toBe('reset');
  for (const prepare of ['end', 'write'] as const) {
    const pair = await socketPair();
    pair.far.resume();
    pair.near[prepare](Buffer.alloc(prepare === 'end' ? 0 : 5_000_000));
    const closed = new Promise((resolve) => pair.near.once('close', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    reset(pair.near);
    await closed;
  }
});

test('who still listens to a connection that is answered hears that nothing more can be said', async () => {
  const { near, far } = await socketPair();
  const sayable: boolean[] = [];
  near.on('data', () => sayable.push(near.writable)).pause();
  far.write('what nobody has taken yet');
  await eventually('it waits', () => near.readableLength > 0);
  far.resume().on('end', () => far.end());
  await answerAndEnd(near, answer());
  expect(sayable).toEqual([false]);
});
