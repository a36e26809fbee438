/** O. Names, tunnels and dialling once more: what a second look found, and what it did not. */
import { expect } from 'vitest';
import { helloOfNode } from '../support/hellos.ts';
import { connectRaw } from '../support/streams.ts';
import { rawTunnel } from '../support/tunnels.ts';
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
