import { readFileSync } from 'node:fs';
import { createServer as createPlain, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { InvalidCredentialsError } from 'ldapts';
import { expect, onTestFinished, test } from 'vitest';
import { converse, whyOf } from '../../src/identify/ldap-session.ts';
import { makeCertificate } from '../support/certificate.ts';

test('a server that hung up is not dialled again in the middle of a conversation', async () => {
  const certificate = makeCertificate('127.0.0.1');
  onTestFinished(() => certificate.remove());
  let met = 0;
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (socket) => {
    met += 1;
    socket.on('error', () => undefined).once('data', () => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `ldaps://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const talked = converse({ url, ca: readFileSync(certificate.file), timeout: 5_000 }, async ({ bind }) => {
    await bind('cn=ada', 'secret').catch(() => undefined);
    return bind('cn=ada', 'secret');
  });
  await expect(talked).rejects.toThrow('it hung up');
  expect(met).toBe(1);
});

test('what went wrong is one line, without what the server has to say of it', () => {
  expect(whyOf(new InvalidCredentialsError('80090308: LdapErr'))).toBe('it answers with LDAP result 49');
  expect(whyOf(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
  expect(whyOf(new Error('closed\nmore'))).toBe('closed');
});

test.each(['ldaps', 'ldap'])('an answer without end by %s is cut off long before the time is over', async (scheme) => {
  const certificate = makeCertificate('127.0.0.1');
  onTestFinished(() => certificate.remove());
  const sockets: Socket[] = [];
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  let sent = 0;
  // A message of 2 GiB, as its first bytes say.
  const beginning = Buffer.from('30847fffffff', 'hex');
  const endless = (socket: Socket): void => {
    sockets.push(socket);
    const more = (): void => {
      if (socket.destroyed) return;
      sent += 65_536;
      socket.write(Buffer.alloc(65_536), more);
    };
    socket.on('error', () => undefined).once('data', () => void socket.write(beginning, more));
  };
  const server: Server =
    scheme === 'ldap' ? createPlain(endless) : createServer({ cert: certificate.cert, key: certificate.key }, endless);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const talked = converse({ url, ca: readFileSync(certificate.file), timeout: 60_000 }, ({ bind }) =>
    bind('cn=ada', 'secret'),
  );
  await expect(talked).rejects.toThrow('it sends more than 1048576 bytes');
  // What the system holds on both sides comes on top.
  expect(sent).toBeLessThan(20 * 1024 * 1024);
});

test.each(['ldaps', 'ldap'])(
  'a response over %s that the library would never finish parsing ends the conversation',
  async (scheme) => {
    const certificate = makeCertificate('127.0.0.1');
    onTestFinished(() => certificate.remove());
    // Success, but its last string is one byte longer than the message.
    const broken = (socket: Socket): void => {
      const answer = (request: Buffer): Buffer =>
        Buffer.from([0x30, 12, 2, 1, request[4] ?? 0, scheme === 'ldap' ? 0x78 : 0x61, 7, 10, 1, 0, 4, 0, 4, 1]);
      socket.on('error', () => undefined).once('data', (request: Buffer) => void socket.write(answer(request)));
    };
    const server: Server =
      scheme === 'ldap' ? createPlain(broken) : createServer({ cert: certificate.cert, key: certificate.key }, broken);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const talked = converse({ url, ca: readFileSync(certificate.file), timeout: 5_000 }, ({ bind }) =>
      bind('cn=ada', 'secret'),
    );
    await expect(talked).rejects.toThrow('it sends a malformed LDAP message');
  },
);
