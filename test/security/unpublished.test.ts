/** Attacks that no published list has. */
import { connect } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { frame, frameClient, getBlock, type } from '../support/frames.ts';
import { connectRaw, eventually, exchange, rawClient } from '../support/streams.ts';
import { attack, get, openField, statusOf, type Field } from './field.ts';

const field = openField({ settings: { tunnels: { idle_timeout: '1s' } } });

function webSocket(name: string): string {
  return get(`http://${name}/`, undefined, 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n');
}

/** An origin that answers every head with these bytes, and closes once its client does. */
function answering({ far }: Field, bytes: string | Buffer): void {
  // What the proxy keeps open still speaks as before.
  for (const socket of far.open) socket.destroy();
  far.speakRaw((socket) => {
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      if (chunk.includes('\r\n\r\n')) socket.write(bytes);
    });
  });
}

attack(
  field,
  127,
  'Thousands of pipelined requests to an origin that never answers, from a client that then leaves',
  'one is under way, the others wait; past 4 MiB of them the connection is reset, and nothing is left at the origin',
  async (here) => {
    here.far.speakRaw((socket) => socket.on('end', () => socket.end()));
    const before = here.far.taken();
    const one = get(`http://${here.at('ok.test')}/`);
    const waiting = await connectRaw(here.lab.proxyPort, one.repeat(1_000));
    await eventually('the first is at the origin', () => here.far.bytes().includes('GET /'));
    const flood = await connectRaw(here.lab.proxyPort, one.repeat(3_000));
    expect((await flood.ended).how).toBe('reset');
    waiting.socket.destroy();
    await eventually('nothing is open at the origin', () => here.far.open.size === 0);
    expect(here.far.taken() - before).toBeLessThanOrEqual(2);
  },
);

attack(
  field,
  128,
  'WebSockets that the origin refuses, for clients that close, that do not, and that do not read',
  'the answer, and then neither side of the connection is left',
  async (here) => {
    const name = here.at('ok.test');
    answering(here, 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
    for (let i = 0; i < 5; i += 1) expect(await exchange(here.lab.proxyPort, webSocket(name))).toContain('403 No');
    await eventually('nothing is open at the origin', () => here.far.open.size === 0);
    const staying = connect({ port: here.lab.proxyPort, host: '127.0.0.1', allowHalfOpen: true });
    const deaf = connect({ port: here.lab.proxyPort, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => {
      staying.destroy();
      deaf.destroy();
    });
    staying.write(webSocket(name));
    await rawClient(staying).until('\r\n\r\nno');
    answering(
      here,
      Buffer.concat([Buffer.from('HTTP/1.1 403 No\r\nContent-Length: 3000000\r\n\r\n'), Buffer.alloc(3e6)]),
    );
    deaf.write(webSocket(name));
    await eventually('nothing is open at the origin', () => here.far.open.size === 0);
    // Both clients have their side open still: time that the test has is all that ends this.
    while ((await here.lab.metric('sallyport_connections_open')) > 0);
  },
);

attack(
  field,
  129,
  '`Connection: X-Secret, Upgrade` with `Upgrade: h2c`, a wish that is not granted',
  'the request goes on without the wish, and without the field that is for one connection only',
  async (here) => {
    const name = here.at('ok.test');
    const wish =
      'Connection: X-Secret, Upgrade, HTTP2-Settings\r\nX-Secret: 1\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n';
    expect(await here.status(get(`http://${name}/`, undefined, wish))).toBe(200);
    expect(here.far.bytes()).not.toMatch(/x-secret|h2c|settings/i);
  },
);

attack(
  field,
  130,
  'A second Host, a length or a coding of the body behind 190 other fields, and behind 2,000',
  'seen like any other: 400, or the body goes on whole; 431 where a head has more lines than are read',
  async (here) => {
    const name = here.at('ok.test');
    const many = 'a:\r\n'.repeat(190);
    const tooMany = 'a:\r\n'.repeat(2_000);
    expect(await here.status(get(`http://${name}/`, name, `${tooMany}Host: deny.test\r\n`))).toBe(431);
    for (const framing of ['Content-Length: 8\r\n', 'Transfer-Encoding: chunked\r\n'])
      expect(await here.status(get(`http://${name}/`, name, tooMany + framing).replace('GET', 'POST'))).toBe(431);
    expect(await here.status(get(`http://${name}/`, name, `${many}Host: deny.test\r\n`))).toBe(400);
    expect(here.far.bytes()).toBe('');
    const post = get(`http://${name}/`, name, many).replace('GET', 'POST').slice(0, -2);
    expect(await here.status(`${post}Content-Length: 8\r\n\r\nmeasured`)).toBe(200);
    expect(here.far.bytes()).toMatch(/content-length: 8\r\n[^]*measured$/i);
    here.far.forget();
    expect(await here.status(`${post}Transfer-Encoding: chunked\r\n\r\n6\r\nchunks\r\n0\r\n\r\n`)).toBe(200);
    expect(here.far.bytes()).toContain('\r\n6\r\nchunks\r\n0\r\n\r\n');
  },
);

attack(
  field,
  131,
  'An origin that answers 101 to who did not ask for it, or names no protocol, and then what it really says',
  '502; what comes behind is nobody’s, and no next client gets it',
  async (here) => {
    const name = here.at('ok.test');
    const plain = get(`http://${name}/`, undefined, 'Connection: close\r\n');
    const behind = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npoisonous';
    answering(here, `HTTP/1.1 101 Switching Protocols\r\n\r\n${behind}`);
    for (const request of [plain, webSocket(name)]) {
      const answer = await exchange(here.lab.proxyPort, request);
      expect(statusOf(answer)).toBe(502);
      expect(answer).not.toContain('poisonous');
    }
    answering(here, 'HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\npoisonous');
    const empty = await exchange(here.lab.proxyPort, plain);
    expect(empty).toMatch(/^HTTP\/1\.1 204 /);
    expect(empty).not.toMatch(/poisonous|content-length/i);
  },
);

attack(
  field,
  132,
  'HTTP/2 clients that say GOAWAY, and then neither close nor read',
  'the connection is gone within seconds',
  async (here) => {
    const name = here.at('deny.test');
    for (let i = 0; i < 5; i += 1) {
      const client = await frameClient(here.lab, name, 'deny.test');
      client.write(frame(type.goaway, 0, 0, Buffer.alloc(8)));
    }
    // The clients have their side open still: time that the test has is all that ends this.
    while ((await here.lab.metric('sallyport_connections_open')) > 0);
  },
);

attack(
  field,
  209,
  'HTTP/2 requests that come in one write with a GOAWAY, before and after it; Node.js 20 by itself reads freed memory',
  'all of them are answered, and the connection is closed',
  async (here) => {
    const name = here.at('deny.test');
    const request = (i: number): Buffer => frame(type.headers, 5, 1 + 2 * i, getBlock(name));
    const several = (from: number, to: number): Buffer[] =>
      Array.from({ length: to - from }, (_, i) => request(from + i));
    for (let i = 0; i < 20; i += 1) {
      const client = await frameClient(here.lab, name, 'deny.test');
      client.write(Buffer.concat([...several(0, i), frame(type.goaway, 0, 0, Buffer.alloc(8)), ...several(i, i + 20)]));
      await client.gone(5_000);
      const answered = client.frames().filter(([kind]) => kind === type.headers);
      expect(answered.map(([, , stream]) => stream).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: i + 20 }, (_, k) => 1 + 2 * k),
      );
      expect(client.frames().some(([kind]) => kind === type.rst)).toBe(false);
    }
  },
);
