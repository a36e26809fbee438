import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { placeOf, proxyCertificate, wantsCertificate } from '../../../src/cli/doctor/proxy-certificate.ts';

test.each([
  ['http://proxy.test', 'proxy.test', 80],
  ['https://proxy.test', 'proxy.test', 443],
  ['https://[::1]:3129', '::1', 3129],
])('%s', (url, host, port) => expect(placeOf(new URL(url))).toEqual({ host, port }));

test('a refusal for want of a certificate is told from others', () => {
  expect(wantsCertificate({ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' })).toBe(true);
  expect(wantsCertificate({ code: 'ECONNREFUSED' })).toBe(false);
});

test('a port that speaks no TLS is said', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  expect(await proxyCertificate(new URL(`https://127.0.0.1:${port}`), null)).toMatchObject({
    check: 'proxy TLS',
    status: 'bad',
    says: expect.stringContaining('does not speak TLS here') as string,
    cure: expect.stringContaining('listen.proxy_tls') as string,
  });
});
