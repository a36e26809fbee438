/** O. Names, tunnels and dialling once more: what a second look found, and what it did not. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { alpn, framed, helloMessage, helloOfNode, messageOf, serverNames } from '../support/hellos.ts';
import { certificateOfTest } from '../support/origins.ts';
import { connectRaw, eventually, rawClient } from '../support/streams.ts';
import { openTunnel, rawTunnel, tlsOver } from '../support/tunnels.ts';
import { attack, get, openField, statusOf } from './field.ts';

const field = openField();

attack(
  field,
  133,
  'A CONNECT on a kept connection, or behind an empty line: HTTP/2.0, no version, two Hosts, 300 fields, content',
  'refused as strictly as one that comes first; nothing is dialled',
  async ({ lab, far, at }) => {
    const target = at('ok.test');
    const heads: readonly (readonly [string, number])[] = [
      [`CONNECT ${target} HTTP/2.0\r\nHost: ${target}\r\n\r\n`, 505],
      [`CONNECT ${target} HTTP/0.9\r\nHost: ${target}\r\n\r\n`, 505],
      [`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nhost: deny.test\r\n\r\n`, 400],
      [`CONNECT ${target} HTTP/1.1\r\n${'a: b\r\n'.repeat(300)}\r\n`, 431],
      [`CONNECT ${target} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
      [`CONNECT ${target} HTTP/1.1\r\nContent-Length: 0\r\n\r\n`, 400],
    ];
    for (const [head, status] of heads) {
      for (const before of ['', '\r\n', get(`http://${target}/`)]) {
        const client = await connectRaw(lab.proxyPort);
        if (before.startsWith('GET')) {
          client.write(before);
          await client.until('the origin');
        }
        const [taken, seen] = [far.taken(), client.seen().length];
        client.write(before.startsWith('GET') ? head : before + head);
        const { text } = await client.ended;
        expect(statusOf(text.slice(seen)), `${JSON.stringify(before.slice(0, 3))} ${head.slice(0, 80)}`).toBe(status);
        expect(far.taken()).toBe(taken);
      }
    }
  },
);

attack(
  field,
  134,
  'Records before the ClientHello that some servers pass over, on a port that may speak anything: alert, CCS, heartbeat',
  'RST, as bytes that hide which name they are for; the origin sees nothing',
  async ({ lab, far, at, logged }) => {
    const denied = await helloOfNode({ servername: 'deny.test' });
    const before = [
      [21, 3, 1, 0, 2, 1, 90],
      [20, 3, 3, 0, 1, 1],
      [23, 3, 3, 0, 1, 0],
      [24, 3, 1, 0, 3, 1, 0, 0],
    ];
    const lines = await logged(2 * before.length, async () => {
      for (const record of before) {
        for (const pieces of [
          [Buffer.concat([Buffer.from(record), denied])],
          [Buffer.from(record.slice(0, 1)), Buffer.from(record.slice(1)), denied],
        ]) {
          const client = await rawTunnel(lab.proxyPort, at('ok.test'));
          for (const piece of pieces) client.write(piece);
          expect(await client.ended).toEqual({ how: 'reset', text: '' });
        }
      }
    });
    expect(lines.map((line) => line.sallyport['error'])).toEqual(lines.map(() => 'tls_required'));
    expect(far.bytes()).toBe('');
  },
);

/** A server's answer to a first hello: another one, for another group (RFC 8446, section 4.1.4). */
const retry = framed(
  Buffer.concat([
    Buffer.from([2, 0, 0, 44, 3, 3]),
    Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex'),
    Buffer.alloc(10),
  ]),
);

attack(
  field,
  135,
  'A second ClientHello for a denied host: asked for by a HelloRetryRequest, or before that; in pieces; behind early data',
  'RST, recorded as `server_name_mismatch`; servers go by the second name, and it never reaches one',
  async ({ lab, far, at, logged }) => {
    far.speakRaw((socket) => {
      socket.once('data', () => socket.write(retry));
      socket.on('end', () => socket.end());
    });
    const hello = (name: string): Buffer => framed(helloMessage([serverNames([0, name])]));
    const nameless = framed(helloMessage([alpn('h2')]));
    const ccs = Buffer.from([20, 3, 3, 0, 1, 1]);
    const early = Buffer.concat([Buffer.from([23, 3, 3, 0, 30]), Buffer.alloc(30, 22)]);
    const denied = hello('deny.test');
    const tries: readonly (readonly [Buffer, readonly Buffer[], boolean])[] = [
      [hello('ok.test'), [denied], true],
      [hello('ok.test'), [Buffer.concat([ccs, denied])], true],
      [hello('ok.test'), Array.from(Buffer.concat([ccs, denied]), (byte) => Buffer.from([byte])), true],
      [hello('ok.test'), [framed(messageOf(denied), 7)], true],
      [Buffer.concat([hello('ok.test'), early]), [early, denied], true],
      [nameless, [denied], true],
      [hello('ok.test'), [nameless], true],
      [Buffer.concat([hello('ok.test'), denied]), [], false],
      [framed(Buffer.concat([messageOf(hello('ok.test')), messageOf(denied)])), [], false],
    ];
    const lines = await logged(tries.length, async () => {
      for (const [first, then, answered] of tries) {
        const client = await rawTunnel(lab.proxyPort, at('ok.test'));
        client.write(first);
        if (answered) await client.until(retry.toString('latin1'));
        for (const bytes of then) client.write(bytes);
        expect((await client.ended).how).toBe('reset');
      }
    });
    expect(lines.map((line) => line.sallyport['error'])).toEqual(lines.map(() => 'server_name_mismatch'));
    expect(far.bytes()).not.toContain('deny.test');
    const honest = await rawTunnel(lab.proxyPort, at('ok.test'));
    honest.write(hello('ok.test'));
    await honest.until(retry.toString('latin1'));
    far.forget();
    honest.write(Buffer.concat([ccs, hello('OK.test')]));
    await eventually('the second hello at the origin', () => far.bytes().endsWith(hello('OK.test').toString('latin1')));
    honest.socket.destroy();
  },
);

test('a real client that a real server asks for a second hello gets through', async () => {
  const { key, cert } = certificateOfTest('ok.test');
  const server = createServer({ key, cert, ecdhCurve: 'P-384' }, (socket) => socket.end('asked twice'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const tunnel = await openTunnel(field().lab.proxyPort, `ok.test:${port}`);
  const tls = await tlsOver(tunnel, { ca: cert, servername: 'ok.test', ecdhCurve: 'X25519:P-384' });
  expect(await rawClient(tls).until('asked twice')).toBe('asked twice');
});
