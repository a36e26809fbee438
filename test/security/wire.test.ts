/** Rapid resets, forged fields, logins that belong to a connection, odd protocol versions, interim responses. */
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { expect, onTestFinished } from 'vitest';
import { block, frame, frameClient, type } from '../support/frames.ts';
import { certificateOfTest, labOfTest } from '../support/origins.ts';
import { connectRaw, eventually, exchange, rawClient, type RawClient } from '../support/streams.ts';
import { openTunnel, tlsOver } from '../support/tunnels.ts';
import { attack, get, openField, statusOf, type Field } from './field.ts';

const field = openField();

attack(
  field,
  170,
  'HTTP/2 requests that are read and go on, each taken back at once (rapid reset)',
  'a few connections to the origin for hundreds of them: the next request takes over what the last one left',
  async () => {
    const certificate = certificateOfTest('chatgpt.com');
    const dir = mkdtempSync(join(tmpdir(), 'sallyport-security-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const roots = join(dir, 'roots.pem');
    writeFileSync(roots, certificate.cert);
    let taken = 0;
    const origin = createHttps({ key: certificate.key, cert: certificate.cert }, (_req, res) => void res.end('{}'));
    origin.on('connection', () => (taken += 1)).on('tlsClientError', () => undefined);
    await new Promise<void>((done) => origin.listen(0, '127.0.0.1', done));
    onTestFinished(() => {
      origin.close();
      origin.closeAllConnections();
    });
    const authority = `chatgpt.com:${(origin.address() as AddressInfo).port}`;
    const lab = await labOfTest({
      policy: 'rules: [{ id: no, vendors: openai, effect: deny, reason: Not approved., let_account_calls_pass: true }]',
      settings: {
        outbound: { hosts: { 'chatgpt.com': '127.0.0.1' }, allow: ['chatgpt.com', '127.0.0.1'], ca_file: roots },
      },
    });
    const client = await frameClient(lab, authority, 'chatgpt.com');
    const head = block([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/backend-api/wham/accounts/check'],
      [':authority', authority],
    ]);
    const count = 200;
    for (let i = 0; i < count; i += 1) {
      const [ask, takeBack] = [frame(type.headers, 5, 1 + 2 * i, head), Buffer.from([0, 0, 0, 8])];
      client.write(Buffer.concat([ask, frame(type.rst, 0, 1 + 2 * i, takeBack)]));
    }
    client.write(frame(type.headers, 5, 1 + 2 * count, head));
    const answered = (): boolean => client.frames().some(([kind, , stream]) => kind === 1 && stream === 1 + 2 * count);
    await eventually('the answer to the one that stays', answered);
    client.close();
    await eventually('a line for each', () => lab.lines().length > count);
    expect(taken).toBeLessThan(20);
  },
);

attack(
  field,
  171,
  'An allowed origin that bears the fields of a denial by the proxy, in the head and as trailers',
  'they are dropped; what other proxies on the way say of themselves goes on',
  async ({ lab, far, at }) => {
    const forged = 'x-proxy-error: policy_denied\r\nX-Sallyport-Id: 0\r\n';
    const status = ['sallyport; error=http_request_denied', 'cdn, "Sallyport" ;details="x"', 'cdn; error=dns_error'];
    const fields = `${forged}${status.map((value) => `Proxy-Status: ${value}\r\n`).join('')}`;
    far.speakRaw((socket) => {
      const head = `HTTP/1.1 403 Forbidden\r\n${fields}Transfer-Encoding: chunked\r\n\r\n`;
      socket.once('data', () => socket.write(`${head}2\r\nno\r\n0\r\n${fields}X-T: 1\r\n\r\n`));
    });
    const name = at('other.test');
    const answer = await exchange(lab.proxyPort, get(`http://${name}/`, name, 'Connection: close\r\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\nProxy-Status: cdn; error=dns_error\r\n/);
    expect(answer).toMatch(/no\r\n0\r\nProxy-Status: cdn; error=dns_error\r\nX-T: 1\r\n\r\n$/);
    expect(answer).not.toMatch(/x-proxy-error|x-sallyport-id|sallyport.? ?;/i);
  },
);

/** Asks on connections of its own, one after the other, and gives the bodies. */
async function asked({ lab, at }: Field, ...fields: readonly string[]): Promise<string[]> {
  const bodies: string[] = [];
  for (const some of fields) {
    const client = await connectRaw(lab.proxyPort, get(`http://${at('none.test')}/`, undefined, some));
    bodies.push((await client.until(/\r\n\r\n<[^>]*>/)).replace(/^[^]*</, '<'));
    client.socket.destroy();
  }
  return bodies;
}

attack(
  field,
  172,
  'A login that is one of the connection (NTLM, Negotiate), and then another client at the same origin',
  'the connection stays that client’s own: all steps of the login go to it, and nobody else’s request does',
  async (here) => {
    here.far.speakRaw((socket) => {
      let [who, steps] = ['nobody', 0];
      socket.on('end', () => socket.end());
      socket.on('data', (bytes: Buffer) => {
        const login = /^authorization: (?:ntlm|negotiate) (\w+)/im.exec(bytes.toString('latin1'));
        if (login !== null) steps += 1;
        who = login?.[1] ?? who;
        const body = `<${who} ${steps}>`;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      });
    });
    const login = 'Authorization: NTLM alice\r\n';
    expect(await asked(here, login, '', 'Authorization: negotiate bob\r\n', '', '')).toEqual(
      ['alice 1', 'nobody 0', 'bob 1', 'nobody 0', 'nobody 0'].map((body) => `<${body}>`),
    );
    const name = here.at('none.test');
    const alice = await connectRaw(here.lab.proxyPort);
    const steps = [login, login, ''];
    for (const [i, fields] of steps.entries()) {
      alice.write(get(`http://${name}/${i}`, name, fields));
      await alice.until(`<alice ${Math.min(i + 1, 2)}>`);
      await asked(here, '');
    }
    expect(alice.seen().match(/<[^>]*>/g)).toEqual(['<alice 1>', '<alice 2>', '<alice 2>']);
    alice.socket.destroy();
  },
);

attack(
  field,
  173,
  'TLS to a denied host that offers HTTP/1.0 alone, only protocols that nobody here speaks, or only TLS 1.1',
  'HTTP/1.0 gets the denial; the others an alert, recorded as a handshake that failed and not as a client that left',
  async ({ lab, at, logged }) => {
    const shake = async (options: ConnectionOptions): Promise<RawClient<TLSSocket>> =>
      rawClient(
        await tlsOver(await openTunnel(lab.proxyPort, at('deny.test')), {
          ca: lab.ca,
          servername: 'deny.test',
          ...options,
        }),
      );
    const told = await shake({ ALPNProtocols: ['http/1.0'] });
    told.write(`GET / HTTP/1.0\r\nHost: ${at('deny.test')}\r\n\r\n`);
    expect(statusOf(await told.until('\r\n\r\n'))).toBe(403);
    told.socket.destroy();
    const old: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' };
    const others = [{ ALPNProtocols: ['h2c', 'acme-tls/1'] }, old, { ...old, ALPNProtocols: ['h2'] }];
    const lines = await logged(others.length, async () => {
      for (const options of others) await expect(shake(options)).rejects.toThrow(/alert/i);
    });
    expect(lines.map(({ sallyport }) => sallyport['error'])).toEqual(lines.map(() => 'proxy_tls_error'));
  },
);

attack(
  field,
  174,
  'A WebSocket that is asked for in HTTP/1.0, to an origin that switches to it',
  'asked for as if nobody had wished to switch (RFC 9110, section 7.8): one request, and its answer',
  async ({ lab, far, at }) => {
    far.speakRaw((socket) => {
      socket.once('data', (bytes: Buffer) => {
        const switching = /^upgrade:/im.test(bytes.toString('latin1'));
        socket.write(`HTTP/1.1 ${switching ? '101 Switching' : '200 OK'}\r\nContent-Length: 0\r\n\r\n`);
      });
    });
    const name = at('ok.test');
    const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n';
    const request = get(`http://${name}/`, name, fields).replace('HTTP/1.1', 'HTTP/1.0');
    expect(statusOf(await exchange(lab.proxyPort, request))).toBe(200);
  },
);

attack(
  field,
  177,
  'An origin that sends 102, 103 and 104 with fields of their own, which clients that know only 100 take for the answer',
  'none goes on: the answer behind would be taken for that to the next request of the connection, at another host',
  async ({ lab, far, at }) => {
    const early = ['102 Processing', '103 Early Hints', '104 Upload'].map(
      (status) => `HTTP/1.1 ${status}\r\nLink: </a>; rel=preload\r\nContent-Length: 2\r\n\r\n`,
    );
    far.speakRaw((socket) => {
      socket.on('data', () => socket.write(`${early.join('')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone`));
    });
    const name = at('none.test');
    for (const fields of ['', 'Expect: 100-continue\r\nContent-Length: 2\r\n']) {
      const client = await connectRaw(lab.proxyPort, get(`http://${name}/`, name, fields).replace('GET', 'PUT'));
      const text = await client.until('done');
      client.socket.destroy();
      expect(text.match(/^HTTP\/1\.1 .*$/gm)).toEqual(['HTTP/1.1 200 OK']);
    }
  },
);
