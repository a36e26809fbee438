/** P. The wire once more: what a third look found. */
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { block, frame, frameClient, type } from '../support/frames.ts';
import { certificateOfTest, labOfTest } from '../support/origins.ts';
import { eventually, exchange } from '../support/streams.ts';
import { attack, get, openField } from './field.ts';

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
