/** What comes first to the port of the proxy over TLS: HTTP in the clear, and a hello in pieces. */
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { connectRaw, rawClient } from '../support/streams.ts';
import { tlsLab as lab, linesOf as lines } from '../support/tls-lab.ts';
import { connectHead } from '../support/tunnels.ts';

test.each([
  ['a CONNECT', connectHead('refused.test:443')],
  ['a request', 'GET http://refused.test/ HTTP/1.1\r\nHost: refused.test\r\n\r\n'],
])('%s in the clear on its port is told to use TLS, and recorded', async (_what, bytes) => {
  const at = await lab();
  const { how, text } = await (await connectRaw(at.port, bytes)).ended;
  expect(how).toBe('fin');
  expect(text).toMatch(/^HTTP\/1\.1 400 This port speaks TLS: write https:\/\/ for the address of the proxy\r\n/);
  expect(text).toContain('X-Proxy-Error: proxy_tls_error\r\n');
  await expect.poll(() => lines(at)).toMatchObject([{ sallyport: { error: 'proxy_tls_error' } }]);
  await expect.poll(() => at.metric('sallyport_connections_open')).toBe(0);
});

test('a hello that comes byte by byte is heard whole', async () => {
  const at = await lab();
  const outer = connect(at.port, '127.0.0.1');
  const slow = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      outer.write(chunk.subarray(0, 1), () => setImmediate(() => outer.write(chunk.subarray(1), done)));
    },
  });
  outer.on('data', (chunk: Buffer) => slow.push(chunk)).on('close', () => slow.destroy());
  const client = rawClient(connectTls({ socket: slow, ca: at.certificate, host: '127.0.0.1' }));
  client.write(connectHead('refused.test:443'));
  expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /);
  outer.destroy();
});
