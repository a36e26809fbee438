/** Origins of TLS that are hard to please, behind requests that are read and go on. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttps, type ServerOptions as HttpsOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { certificateOfTest, labOfTest } from '../support/origins.ts';
import { askInside, type Answered } from '../support/tunnels.ts';
import { attack, openField } from './field.ts';

const field = openField();

attack(
  field,
  90,
  'An account call that is read and goes on, to an origin that wants a client certificate, or speaks HTTP/1.1 only, or HTTP/2 only',
  'HTTP/1.1 is spoken; to the other two the client gets 502 with the reason, at once, and the next call is served',
  async () => {
    const certificate = certificateOfTest('chatgpt.com');
    const pem = { key: certificate.key, cert: certificate.cert };
    const dir = mkdtempSync(join(tmpdir(), 'sallyport-security-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const roots = join(dir, 'roots.pem');
    writeFileSync(roots, certificate.cert);
    const origin = async (options: HttpsOptions): Promise<number> => {
      const server = createHttps({ ...pem, ...options }, (_req, res) => void res.end('{"accounts":{}}'));
      server.on('tlsClientError', () => undefined);
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      onTestFinished(() => {
        server.close();
        server.closeAllConnections();
      });
      return (server.address() as AddressInfo).port;
    };
    const mutual = { requestCert: true, rejectUnauthorized: true };
    const [plain, wantsToday, wantsBefore, second] = await Promise.all([
      origin({ ALPNProtocols: ['http/1.1'] }),
      origin(mutual),
      origin({ ...mutual, maxVersion: 'TLSv1.2' }),
      origin({ ALPNProtocols: ['h2'] }),
    ]);
    const lab = await labOfTest({
      policy: 'rules: [{ id: no, vendors: openai, effect: deny, reason: Not approved., let_account_calls_pass: true }]',
      settings: {
        outbound: { hosts: { 'chatgpt.com': '127.0.0.1' }, allow: ['chatgpt.com', '127.0.0.1'], ca_file: roots },
      },
    });
    const path = '/backend-api/wham/accounts/check';
    const ask = (port: number): Promise<Answered> =>
      askInside(lab.proxyPort, lab.ca, `https://chatgpt.com:${port}${path}`);
    for (const [port, codes] of [
      [wantsToday, /^(?:tls_protocol_error|connection_terminated|upstream_protocol_error)$/],
      [wantsBefore, /^tls_protocol_error$/],
      [second, /^tls_protocol_error$/],
    ] as const) {
      const { status, headers } = await ask(port);
      expect(status).toBe(502);
      expect(headers['x-proxy-error']).toMatch(codes);
      expect(await ask(plain)).toMatchObject({ status: 200, body: '{"accounts":{}}' });
    }
  },
);
