/** Names and addresses in odd spellings, hidden hellos, and tunnels that nobody speaks in. */
import { once } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import {
  alpn,
  framed,
  helloMessage,
  helloOfNode,
  helloRetryRequest,
  messageOf,
  serverNames,
} from '../support/hellos.ts';
import { certificateOfTest } from '../support/origins.ts';
import { connectRaw, eventually, rawClient } from '../support/streams.ts';
import { askHttp2, http2Over, openTunnel, rawTunnel, tlsOver } from '../support/tunnels.ts';
import { attack, fieldPolicy, get, openField, statusOf } from './field.ts';

const field = openField();
/** Its far side stands for port 80; what is silent there is so for a second. */
const plain = openField({ settingsFor: (port) => ({ tunnels: { http_ports: [port], idle_timeout: '1s' } }) });
/** The same where a port may speak anything, and addresses may be asked for. */
const anything = openField({
  policy: fieldPolicy.replace('raw_address: deny', 'raw_address: allow'),
  settings: { tunnels: { idle_timeout: '1s', hello_timeout: '200ms' } },
});

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
      [`CONNECT ${target} HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello`, 400],
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

attack(
  field,
  135,
  'A second ClientHello for a denied host: asked for by a HelloRetryRequest, or before that; in pieces; behind early data',
  'RST, recorded as `server_name_mismatch`; servers go by the second name, and it never reaches one',
  async ({ lab, far, at, logged }) => {
    far.speakRaw((socket) => {
      socket.once('data', () => socket.write(helloRetryRequest));
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
        if (answered) await client.until(helloRetryRequest.toString('latin1'));
        for (const bytes of then) client.write(bytes);
        expect((await client.ended).how).toBe('reset');
      }
    });
    expect(lines.map((line) => line.sallyport['error'])).toEqual(lines.map(() => 'server_name_mismatch'));
    expect(far.bytes()).not.toContain('deny.test');
    const honest = await rawTunnel(lab.proxyPort, at('ok.test'));
    honest.write(hello('ok.test'));
    await honest.until(helloRetryRequest.toString('latin1'));
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

attack(
  field,
  136,
  'A denied address in every spelling: octal, hexadecimal, decimal, short, mapped, NAT64; with an allowed name in the hello',
  'denied by the rule for its vendor, in a CONNECT and in the clear; the name in a hello vouches for no address',
  async ({ lab, far, send, logged }) => {
    const plainest = ['203.0.113.65', '203.0.113.65.', '0313.0.0161.0101', '0xcb.0x0.0x71.0x41', '3405803841'];
    const spellings = [
      ...plainest,
      ...['0xcb007141', '203.0.28993', '[::ffff:203.0.113.65]', '[::ffff:cb00:7141]', '[0:0:0:0:0:FFFF:CB00:7141]'],
      ...['[64:ff9b::203.0.113.65]', '[64:ff9b::cb00:7141]'],
    ];
    for (const host of spellings) {
      const answer = await send(get(`http://${host}/`, host));
      expect(statusOf(answer), host).toBe(403);
      // By itself an address behind a translator is one that nothing names.
      expect(answer, host).toContain(host.startsWith('[64:') ? 'default-raw-address' : 'acme-ban');
      for (const name of ['ok.test', 'none.test']) {
        const [line] = await logged(1, async () => {
          const client = await rawTunnel(lab.proxyPort, `${host}:443`);
          client.write(framed(helloMessage([serverNames([0, name])])));
          // An alert, since this hello offers too little to be answered; or nothing.
          await client.until(/./s).catch(() => '');
          client.socket.destroy();
        });
        expect(line, `${host} ${name}`).toMatchObject({ rule: { id: 'acme-ban' }, sallyport: { effect: 'deny' } });
      }
    }
    // What wraps it in a network of its own is nobody's address, and is not dialled either.
    for (const host of ['[2002:cb00:7141::1]', '[::203.0.113.65]', '[::ffff:0:203.0.113.65]', '[64:ff9b:1::cb00:7141]'])
      expect(statusOf(await send(get(`http://${host}/`, host))), host).toBe(403);
    expect(far.bytes()).toBe('');
  },
);

attack(
  plain,
  137,
  'A tunnel to port 80 that says nothing for as long as a tunnel may be idle, and then asks for a denied host',
  '421: who says nothing is read like one that spoke at once',
  async ({ lab, far, at }) => {
    for (const speaksFirst of [false, true]) {
      if (speaksFirst) far.speakRaw((socket) => void socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n'));
      const client = await rawTunnel(lab.proxyPort, at('ok.test'));
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      client.write(`GET /late HTTP/1.1\r\nHost: deny.test\r\n\r\n`);
      await client.until(/^HTTP\/1\.1 421 /);
      client.socket.destroy();
    }
    expect(far.bytes()).toBe('');
  },
);

attack(
  anything,
  140,
  'A tunnel to a port that may speak anything, and in which nobody does for as long as it may be idle',
  'RST: nothing is relayed any more; a server that speaks first is heard, also at a raw address',
  async ({ lab, far, at, logged }) => {
    far.speakRaw(() => undefined);
    const lines = await logged(1, async () => {
      expect((await (await rawTunnel(lab.proxyPort, at('ok.test'))).ended).how).toBe('reset');
    });
    expect(lines[0]?.sallyport['error']).toBe('idle_timeout');
    far.speakRaw((socket) => void socket.write('SSH-2.0-test\r\n'));
    for (const host of ['ok.test', '127.0.0.1']) {
      const client = await rawTunnel(lab.proxyPort, at(host));
      await client.until('SSH-2.0-test');
      client.socket.destroy();
    }
  },
);

attack(
  plain,
  138,
  'In a tunnel to port 80: a WebSocket with content, two equal Hosts, an asterisk as the target of GET, HTTP/2 at once',
  '400, as outside of one; nothing reaches the origin',
  async ({ lab, far, at }) => {
    const host = `Host: ${at('ok.test')}\r\n`;
    const upgrade = `GET /ws HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n`;
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: deny.test\r\n\r\n';
    for (const bytes of [
      `${upgrade}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
      `${upgrade}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      `GET / HTTP/1.1\r\n${host}${host}\r\n`,
      `GET * HTTP/1.1\r\n${host}\r\n`,
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ]) {
      const client = await rawTunnel(lab.proxyPort, at('ok.test'));
      client.write(bytes);
      await client.until(/^HTTP\/1\.1 400 /);
      client.socket.destroy();
    }
    expect(far.bytes()).toBe('');
  },
);

attack(
  field,
  139,
  'Inside an intercepted tunnel over HTTP/2: CONNECT, extended CONNECT, an Expect that nobody knows',
  '400 or RST, or the denial; each request is in the log like any other',
  async ({ lab, far, at }) => {
    const ask = async (headers: OutgoingHttpHeaders): Promise<number> => {
      const session = await http2Over(await openTunnel(lab.proxyPort, at('deny.test')), lab.ca, 'deny.test');
      const answer = await askHttp2(session, headers).catch(() => null);
      session.destroy();
      return answer?.headers[':status'] ?? 0;
    };
    for (const authority of [at('ok.test'), at('deny.test')])
      expect(await ask({ ':method': 'CONNECT', ':authority': authority })).toBe(400);
    const extended = { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'https', ':path': '/' };
    expect([0, 400]).toContain(await ask({ ...extended, ':authority': at('deny.test') }));
    expect(await ask({ ':path': '/', ':authority': at('deny.test'), expect: 'the-unexpected' })).toBe(403);
    const blocked = (): boolean => lab.lines().some(({ sallyport }) => sallyport['action'] === 'block');
    await eventually('the last of them is in the log', blocked);
    expect(far.bytes()).toBe('');
  },
);

test('an origin that closes before the client has spoken ends its tunnel at once', async () => {
  const { lab, far, at } = field();
  for (const how of ['end', 'destroy', 'resetAndDestroy'] as const) {
    far.speakRaw(() => undefined);
    const { socket, ended } = await rawTunnel(lab.proxyPort, at('ok.test'));
    await eventually('the tunnel at the origin', () => far.open.size > 0);
    const began = performance.now();
    for (const origin of far.open) origin[how]();
    await Promise.race([ended, new Promise((resolve) => socket.once('end', resolve))]);
    socket.destroy();
    expect(performance.now() - began).toBeLessThan(2_000);
  }
});
