import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createSecureDialler } from '../../src/act/secure.ts';
import { parseAuthority } from '../../src/listen/target.ts';
import { loopbackDialler } from '../support/onward.ts';
import { certificateOfTest, tlsOrigin } from '../support/origins.ts';
import { eventually, tcpOrigin } from '../support/streams.ts';

const dialling = (roots: readonly string[], timeout = 2_000) =>
  createSecureDialler({ dialler: loopbackDialler(), roots: () => roots, timeout });

test.each(['own.test', '127.0.0.1'])('%s proves its name, and speaks HTTP/1.1', async (host) => {
  const certificate = certificateOfTest('own.test', '127.0.0.1');
  const { port } = await tlsOrigin(certificate, (_req, res) => res.end());
  const socket = await dialling([certificate.cert]).dial(parseAuthority(`${host}:${port}`), new PassThrough());
  expect([socket.authorized, socket.alpnProtocol]).toEqual([true, 'http/1.1']);
  socket.destroy();
});

test.each([
  ['another name', 'other.test', true],
  ['another address', '127.0.0.1', true],
  ['an unknown authority', 'own.test', false],
])('an origin of %s is refused', async (_what, host, trusted) => {
  const certificate = certificateOfTest('own.test');
  const origin = await tlsOrigin(certificate, (_req, res) => res.end());
  const dialled = dialling(trusted ? [certificate.cert] : []).dial(
    parseAuthority(`${host}:${origin.port}`),
    new PassThrough(),
  );
  await expect(dialled).rejects.toMatchObject({ code: 'tls_certificate_error' });
});

test.each([
  ['speaks no TLS', 'HTTP/1.1 400 Bad\r\n\r\n', 'tls_protocol_error'],
  ['ends at once', null, 'tls_protocol_error'],
  ['says nothing', '', 'connection_timeout'],
])('an origin that %s is given up', async (_what, says, code) => {
  const { port } = await tcpOrigin((socket) => (says === null ? socket.end() : socket.write(says)));
  const dialled = dialling([], 300).dial(parseAuthority(`own.test:${port}`), new PassThrough());
  await expect(dialled).rejects.toMatchObject({ code });
});

test('a client that leaves ends the handshake', async () => {
  const client = new PassThrough();
  let open = 0;
  const { port } = await tcpOrigin((socket) => {
    open += 1;
    socket.resume().once('end', () => socket.end());
    socket.once('close', () => (open -= 1));
    client.destroy();
  });
  await expect(dialling([]).dial(parseAuthority(`own.test:${port}`), client)).rejects.toMatchObject({
    code: 'client_closed',
  });
  await eventually('the origin is left alone', () => open === 0);
});
