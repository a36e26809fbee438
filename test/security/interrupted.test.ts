/** Records of unknown versions, and clients and origins that end in the middle of something. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { framed, helloMessage, helloOfNode, helloRetryRequest, messageOf, serverNames } from '../support/hellos.ts';
import { connectRaw, eventually, rawClient, type RawClient } from '../support/streams.ts';
import { openTunnel, rawTunnel, tlsOver } from '../support/tunnels.ts';
import { attack, get, openField } from './field.ts';

/** Its far side stands for a port that may speak anything. */
const field = openField();

/** A handshake message in one record, whose version nobody has to look at (RFC 8446, section 5.1). */
const inRecord = (version: number, message: Buffer): Buffer => framed(message, 65_535, version);

const versions = [0x0401, 0x0001, 0x0200, 0xff03, 0xfefd];

attack(
  field,
  195,
  'A ClientHello for a denied host in a record of a version that is none, or behind an alert in such a record',
  'RST, as bytes that hide which name they are for; a protocol that only begins like that goes through',
  async ({ lab, far, at, logged }) => {
    const denied = messageOf(await helloOfNode({ servername: 'deny.test' }));
    const lines = await logged(3 * versions.length, async () => {
      for (const version of versions) {
        const whole = inRecord(version, denied);
        const alert = Buffer.from([21, version >> 8, version & 255, 0, 2, 1, 90]);
        for (const pieces of [[whole], Array.from(whole, (byte) => Buffer.from([byte])), [alert, framed(denied)]]) {
          const client = await rawTunnel(lab.proxyPort, at('ok.test'));
          for (const piece of pieces) client.write(piece);
          expect(await client.ended).toEqual({ how: 'reset', text: '' });
        }
      }
    });
    expect(lines.map((line) => line.sallyport['error'])).toEqual(lines.map(() => 'tls_required'));
    expect(far.bytes()).toBe('');
    // MongoDB: the length of the message, its number, and no hello.
    const other = Buffer.from([22, 1, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    const client = await rawTunnel(lab.proxyPort, at('ok.test'));
    client.write(other);
    await eventually('its bytes at the origin', () => far.bytes() === other.toString('latin1'));
    client.socket.destroy();
  },
);

attack(
  field,
  196,
  'A second ClientHello for a denied host in a record of a version that is none, or in one that is longer than any',
  'RST, recorded as `server_name_mismatch`: servers that read such records get neither',
  async ({ lab, far, at, logged }) => {
    far.speakRaw((socket) => {
      socket.once('data', () => socket.write(helloRetryRequest));
      socket.on('end', () => socket.end());
    });
    const denied = helloMessage([serverNames([0, 'deny.test'])]);
    const padded = helloMessage([serverNames([0, 'deny.test']), Buffer.from([0, 21, 78, 32]), Buffer.alloc(20_000)]);
    const seconds = [...versions.map((version) => inRecord(version, denied)), inRecord(0x0303, padded)];
    const lines = await logged(seconds.length, async () => {
      for (const second of seconds) {
        const client = await rawTunnel(lab.proxyPort, at('ok.test'));
        client.write(framed(helloMessage([serverNames([0, 'ok.test'])])));
        await client.until(helloRetryRequest.toString('latin1'));
        client.write(second);
        expect((await client.ended).how).toBe('reset');
      }
    });
    expect(lines.map((line) => line.sallyport['error'])).toEqual(lines.map(() => 'server_name_mismatch'));
    expect(far.bytes()).not.toContain('deny.test');
  },
);

const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

attack(
  field,
  197,
  'Hundreds of WebSockets whose clients leave before the origin has answered',
  'each attempt ends with its client, as a GET does; nothing is held until it is idle for too long',
  async ({ lab, far, at, logged }) => {
    const name = at('ok.test');
    far.speakRaw((socket) => void socket.on('end', () => socket.end()));
    const lines = await logged(200, async () => {
      const clients = Array.from({ length: 200 }, () =>
        connectRaw(lab.proxyPort, get(`http://${name}/`, name, upgrade)),
      );
      const all = await Promise.all(clients);
      await eventually('all of them at the origin', () => far.open.size === all.length);
      for (const { socket } of all) socket.end();
      await Promise.all(all.map(({ ended }) => ended));
      await eventually('none of them at the origin', () => far.open.size === 0);
    });
    expect(new Set(lines.map(({ sallyport }) => sallyport['error']))).toEqual(new Set(['client_closed']));
  },
);

attack(
  field,
  198,
  'An origin that refuses a WebSocket and resets the connection in an answer whose end nothing but its own tells',
  'the client sees a cut answer, never one that looks whole',
  async ({ lab, far, at, logged }) => {
    const name = at('ok.test');
    far.speakRaw((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 403 No\r\n\r\nhalf');
        setTimeout(() => socket.resetAndDestroy(), 50);
      });
    });
    const [line] = await logged(1, async () => {
      const client = await connectRaw(lab.proxyPort, get(`http://${name}/`, name, upgrade));
      const { how, text } = await client.ended;
      expect(text).toContain('half');
      expect(how).toBe('reset');
    });
    expect(line?.sallyport['error']).toBe('connection_terminated');
  },
);

const CHUNK = Buffer.alloc(64 * 1024, 'x');

attack(
  field,
  199,
  'Clients that send megabytes before they read: to an origin that answers early and closes, and to a denial, after Expect',
  'they get to read the answer: what they send is read on and dropped, and no RST overtakes it',
  async ({ lab, far, at }) => {
    const body = 100;
    const upload = async ({ socket, until, ended }: RawClient<Duplex>, head: string): Promise<string> => {
      socket.pause();
      socket.write(head);
      for (let i = 0; i < body && !socket.destroyed; i += 1) {
        if (!socket.write(CHUNK)) await Promise.race([once(socket, 'drain'), ended]);
        await sleep(2);
      }
      socket.resume();
      return until('\r\n\r\n');
    };
    const post = (name: string, expects = ''): string =>
      get(`http://${name}/`, name, `${expects}Content-Length: ${body * CHUNK.length}\r\n`).replace('GET', 'POST');
    far.speakRaw((socket) => {
      socket.once('data', () => {
        // Read on, as servers do whose close is to be seen.
        socket.resume();
        setTimeout(() => socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'), 30);
      });
    });
    for (const expects of ['', 'Expect: 100-continue\r\n']) {
      const early = await connectRaw(lab.proxyPort);
      expect(await upload(early, post(at('none.test'), expects))).toMatch(/^HTTP\/1\.1 413 /);
      const clear = await connectRaw(lab.proxyPort);
      expect(await upload(clear, post(at('deny.test'), expects))).toMatch(/^HTTP\/1\.1 403 /);
      const tunnel = await openTunnel(lab.proxyPort, at('deny.test'));
      const inside = rawClient(await tlsOver(tunnel, { ca: lab.ca, servername: 'deny.test' }));
      const head = post(at('deny.test'), expects).replace(/http:\/\/[^/]+/, '');
      expect(await upload(inside, head)).toMatch(/^HTTP\/1\.1 403 /);
      for (const { socket } of [early, clear, inside]) socket.destroy();
    }
  },
);

attack(
  field,
  200,
  'A request, and behind it bytes that are none, before its origin has answered',
  'RST: never a 400 that would be taken for the answer to the request; half a request gets its 400',
  async ({ lab, far, at }) => {
    const name = at('ok.test');
    far.answerWith((_req, res) => void setTimeout(() => res.end('late'), 300));
    const client = await connectRaw(lab.proxyPort, `${get(`http://${name}/`, name)}\0garbage\r\n\r\n`);
    expect(await client.ended).toEqual({ how: 'reset', text: '' });
    const chunked = get(`http://${name}/`, name, 'Transfer-Encoding: chunked\r\n').replace('GET', 'POST');
    const half = await connectRaw(lab.proxyPort, `${chunked}zz\r\n`);
    expect((await half.ended).text).toMatch(/^HTTP\/1\.1 400 /);
  },
);
