/** What comes through a tunnel beside TLS: other protocols, early bytes, half-closes, resets, WebSockets. */
import { once } from 'node:events';
import { createConnection, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { helloOfNode } from '../support/hellos.ts';
import { eventually, rawClient } from '../support/streams.ts';
import { connectHead, openTunnel, rawTunnel, readHead } from '../support/tunnels.ts';
import { attack, get, openField, statusOf } from './field.ts';

const field = openField();
/** Only TLS may be spoken behind the port of its far side, as behind 443. */
const strict = openField({
  settingsFor: (port) => ({ tunnels: { hello_timeout: '1s', idle_timeout: '20s', tls_required_ports: [443, port] } }),
});

/** Its far side stands for port 80. */
const plain = openField({ settingsFor: (port) => ({ tunnels: { http_ports: [port] } }) });

/** A CONNECT with bytes of the tunnel right behind its head, once it was answered by 200. */
async function openBoth(proxyPort: number, authority: string, behind: Buffer): Promise<Socket> {
  const socket = createConnection({ port: proxyPort, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(Buffer.concat([Buffer.from(connectHead(authority)), behind]));
  expect(await readHead(socket)).toMatch(/^HTTP\/1\.1 200 /);
  return socket;
}

/** An origin of WebSockets that says what it hears. */
async function echoServer(): Promise<{ readonly server: WebSocketServer; readonly port: number }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  await once(server, 'listening');
  onTestFinished(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

attack(
  strict,
  31,
  'What is not TLS behind port 443: SSH, HTTP, NULs, an SSLv2 hello, junk in a handshake record, an alert first',
  'RST within a second, recorded as `tls_required`; the origin sees nothing',
  async ({ lab, far, at, logged }) => {
    const openings = [
      'SSH-2.0-OpenSSH_9.2\r\n',
      'GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n',
      Buffer.alloc(100),
      Buffer.from('802e0103010015000000100100800300800700c006004002008004', 'hex'),
      Buffer.concat([Buffer.from([22, 3, 1, 0, 60]), Buffer.alloc(60, 0xee)]),
      Buffer.from([20, 3, 3, 0, 1, 1]),
      Buffer.from([21, 3, 3, 0, 2, 2, 40]),
    ];
    const lines = await logged(openings.length, async () => {
      for (const bytes of openings) {
        const client = await rawTunnel(lab.proxyPort, at('ok.test'));
        client.write(bytes);
        const { how, text } = await client.ended;
        expect([how, text], String(bytes).slice(0, 20)).toEqual(['reset', '']);
      }
    });
    expect(lines.map((line) => line.sallyport['error'])).toEqual(openings.map(() => 'tls_required'));
    expect(far.bytes()).toBe('');
  },
);

attack(
  strict,
  32,
  'A protocol whose server speaks first, behind port 443',
  'no dead-lock: RST at the deadline of the hello, with its own reason',
  async ({ lab, far, at, logged }) => {
    far.speakRaw((socket) => void socket.write('220 mail.test ESMTP\r\n'));
    const lines = await logged(1, async () => {
      const client = await rawTunnel(lab.proxyPort, at('ok.test'));
      expect(await client.ended).toEqual({ how: 'reset', text: '' });
    });
    expect(lines[0]?.sallyport['error']).toBe('hello_timeout');
  },
);

attack(
  plain,
  33,
  'HTTP in the clear in an allowed tunnel, for a denied host: by Host, by an absolute target, behind an empty line, later',
  'each request is judged by itself: 421 for another host; the right one is passed on',
  async ({ lab, far, at, logged }) => {
    const own = `GET /right HTTP/1.1\r\nHost: ${at('ok.test')}\r\n\r\n`;
    const wrong = [
      `GET /x HTTP/1.1\r\nHost: ${at('deny.test')}\r\n\r\n`,
      `GET /x HTTP/1.1\r\nHost: deny.test\r\n\r\n`,
      get(`http://${at('deny.test')}/x`),
      `\r\nGET /x HTTP/1.1\r\nHost: deny.test\r\n\r\n`,
    ];
    for (const bytes of wrong) {
      const client = await rawTunnel(lab.proxyPort, at('ok.test'));
      client.write(bytes);
      await client.until('HTTP/1.1 421 ');
      client.socket.destroy();
    }
    for (const bytes of ['get / HTTP/1.1\r\nHost: deny.test\r\n\r\n', 'SSH-2.0-OpenSSH_9.2\r\n', '\0\0']) {
      const client = await rawTunnel(lab.proxyPort, at('ok.test'));
      client.write(bytes);
      await client.until(/^HTTP\/1\.1 400 /);
      client.socket.destroy();
    }
    expect(far.bytes()).toBe('');
    const lines = await logged(2, async () => {
      const client = await rawTunnel(lab.proxyPort, at('ok.test'));
      for (const byte of own.slice(0, 12)) client.write(byte);
      client.write(own.slice(12));
      await client.until('the origin');
      client.write(wrong[0] ?? '');
      await client.until('HTTP/1.1 421 ');
      client.socket.destroy();
    });
    expect(far.requests()).toEqual([`GET ${at('ok.test')} /right`]);
    expect(lines.map((line) => line.sallyport['outcome'])).toEqual(['passed', 'failed']);
  },
);

attack(
  strict,
  34,
  'A tunnel in a tunnel: CONNECT again, SOCKS5, another proxy by its port',
  'not TLS: RST; ports of proxies are refused by the port rule',
  async ({ lab, far, at }) => {
    for (const bytes of [
      connectHead('deny.test:443'),
      Buffer.from([5, 1, 0]),
      Buffer.from([4, 1, 1, 187, 127, 0, 0, 1, 0]),
    ]) {
      const client = await rawTunnel(lab.proxyPort, at('ok.test'));
      client.write(bytes);
      expect((await client.ended).how).toBe('reset');
    }
    expect(far.bytes()).toBe('');
    const denied = await rawTunnel(lab.proxyPort, at('deny.test'));
    denied.write(connectHead(at('ok.test')));
    await denied.until('HTTP/1.1 400 ');
    expect(far.bytes()).toBe('');
  },
);

attack(
  field,
  35,
  'CONNECT and the first bytes of the tunnel in one segment',
  'relayed once, answered, or dropped with the refusal; never read as a next request',
  async ({ lab, far, at, send }) => {
    const hello = await helloOfNode({ servername: 'ok.test' });
    const open = await openBoth(lab.proxyPort, at('ok.test'), hello);
    await eventually('the hello at the origin', () => far.bytes().length >= hello.length);
    expect(far.bytes()).toBe(hello.toString('latin1'));
    open.destroy();
    far.forget();
    const denied = await helloOfNode({ servername: 'deny.test' });
    const client = rawClient(await openBoth(lab.proxyPort, at('deny.test'), denied));
    client.socket.resume();
    await client.until(String.fromCharCode(22, 3));
    client.socket.destroy();
    const smuggled = `${connectHead(at('refused.test'))}${get(`http://${at('ok.test')}/smuggled`)}`;
    expect(statusOf(await send(smuggled))).toBe(403);
    expect(far.bytes()).toBe('');
  },
);

attack(
  field,
  36,
  'A client that ends its side after the request, and an origin that does so after its answer',
  'each FIN is passed on, and the other direction goes on until it is done',
  async ({ lab, far, at }) => {
    far.speakRaw((socket) => {
      socket.once('end', () => setTimeout(() => socket.end('late answer'), 300)).resume();
    });
    const client = rawClient(await openTunnel(lab.proxyPort, at('ok.test')));
    client.socket.resume();
    client.socket.end('question');
    expect(await client.ended).toEqual({ how: 'fin', text: 'late answer' });
    expect(far.bytes()).toBe('question');
    far.forget();
    far.speakRaw((socket) => void socket.end('first'));
    const second = rawClient(await openTunnel(lab.proxyPort, at('ok.test')));
    second.socket.resume();
    await second.until('first');
    second.write('the rest');
    await eventually('what is sent after the end of the origin', () => far.bytes() === 'the rest');
    second.socket.end();
    await second.ended;
  },
);

attack(
  field,
  37,
  'RST at 200 random moments, from both sides: before the 200, in the hello, in the middle of a transfer',
  'each ends its own connection only; descriptors and counters are exact afterwards',
  async ({ lab, far, at }) => {
    far.speakRaw((socket) => {
      socket.on('data', () => socket.write(Buffer.alloc(50_000)));
      if (Math.random() < 0.5) setTimeout(() => socket.resetAndDestroy(), Math.random() * 20);
    });
    const hello = await helloOfNode({ servername: 'deny.test' });
    await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const socket = createConnection({ port: lab.proxyPort, host: '127.0.0.1' });
        socket.on('error', () => undefined).resume();
        socket.write(connectHead(at(i % 3 === 0 ? 'deny.test' : 'ok.test')));
        if (i % 2 === 0) socket.write(i % 3 === 0 ? hello.subarray(0, 1 + i) : 'question');
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
        socket.resetAndDestroy();
        if (!socket.closed) await once(socket, 'close').catch(() => undefined);
      }),
    );
  },
);

attack(
  field,
  38,
  'WebSockets: through CONNECT, in the clear, to a denied host; `Upgrade: h2c` and `Upgrade: TLS/1.0`',
  'allowed ones work, a denied one is answered without dialling, other upgrades are never granted',
  async ({ lab, far, at, send }) => {
    const upgrade = (host: string, protocol: string): string =>
      get(
        `http://${at(host)}/ws`,
        at(host),
        `Connection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`,
      );
    const denied = await send(upgrade('deny.test', 'websocket'));
    // 101 only to close with the reason in the protocol's own words: no byte of it comes from the host.
    expect([101, 403]).toContain(statusOf(denied));
    expect(far.bytes()).toBe('');
    for (const protocol of ['h2c', 'TLS/1.0']) {
      expect(statusOf(await send(upgrade('ok.test', protocol))), protocol).toBe(200);
      expect(far.bytes(), protocol).not.toMatch(/^upgrade:/im);
      far.forget();
    }
    const { server, port } = await echoServer();
    const socket = new WebSocket(`ws://ok.test:${port}/ws`, {
      createConnection: ((_options: unknown, done: (error: Error | null, stream: unknown) => void) => {
        void openTunnel(lab.proxyPort, `ok.test:${port}`).then((stream) => done(null, stream.resume()));
        return undefined;
      }) as never,
    });
    socket.on('error', () => undefined);
    await once(socket, 'open');
    socket.send('through a tunnel');
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(message.toString()).toBe('through a tunnel');
    socket.terminate();
    server.close();
  },
);
