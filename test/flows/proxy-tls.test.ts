/** The proxy over TLS: what `https://` proxies promise, with curl and with raw sockets, on the whole product. */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { curl } from '../support/curl.ts';
import { bcryptLine } from '../support/passwords.ts';
import { makeStaffCa, type Pair, type StaffCa } from '../support/staff-ca.ts';
import { connectRaw, httpOrigin, rawClient, tcpOrigin } from '../support/streams.ts';
import { tlsLab as lab, linesOf as lines, overTls, type TlsLab } from '../support/tls-lab.ts';
import { connectHead } from '../support/tunnels.ts';

test('curl reaches an origin through it, in the clear and by a tunnel, and is told its denials', async () => {
  const at = await lab();
  const origin = await httpOrigin((_req, res) => res.end('hi'));
  const url = `http://127.0.0.1:${origin.port}/`;
  const proxied = ['-x', at.url, '--proxy-cacert', at.certFile];
  expect(await curl(...proxied, url)).toMatchObject({ exit: 0, out: 'hi' });
  expect(await curl(...proxied, '--proxytunnel', url)).toMatchObject({ exit: 0, out: 'hi' });
  const denied = await curl(...proxied, '--cacert', at.caFile, 'https://api.anthropic.com/v1/messages', '-d', '{}');
  expect(denied.out).toContain('claude-ban');
  const h2 = await curl(
    ...proxied,
    '--cacert',
    at.caFile,
    '--http1.1',
    'https://api.anthropic.com/v1/messages',
    '-d',
    '{}',
  );
  expect(h2.out).toContain('claude-ban');
  expect(await at.metric('sallyport_connections_open')).toBe(0);
  await expect.poll(() => lines(at).map(({ source }) => source?.ip)).toEqual(new Array(4).fill('127.0.0.1'));
});

test('a tunnel brings 30 MB both ways, byte for byte, with a client that reads slowly', async () => {
  const at = await lab();
  const block = randomBytes(1024 * 1024);
  const origin = await tcpOrigin((socket) => {
    const hash = createHash('sha256');
    socket.on('data', (chunk: Buffer) => hash.update(chunk));
    socket.on('end', () => {
      let left = 30;
      const more = (): void => {
        while (left > 0) {
          left -= 1;
          if (!socket.write(block)) {
            socket.once('drain', more);
            return;
          }
        }
        socket.end(hash.digest('hex'));
      };
      more();
    });
  });
  const { socket, until } = await overTls(at, {}, connect({ host: '127.0.0.1', port: at.port, allowHalfOpen: true }));
  socket.write(connectHead(`127.0.0.1:${origin.port}`));
  await until('\r\n\r\n');
  socket.removeAllListeners('data').pause();
  const sent = createHash('sha256');
  for (let i = 0; i < 30; i += 1) {
    sent.update(block);
    if (!socket.write(block)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  // The half close passes through, and the answer comes behind it.
  socket.end();
  const got: Buffer[] = [];
  for await (const chunk of socket) got.push(chunk as Buffer);
  const all = Buffer.concat(got);
  expect(all.length).toBe(30 * block.length + 64);
  expect(all.subarray(-64).toString()).toBe(sent.digest('hex'));
  expect(createHash('sha256').update(all.subarray(0, -64)).digest('hex')).toBe(all.subarray(-64).toString());
}, 30_000);

test('an origin that resets is no good end for the client', async () => {
  const at = await lab();
  const origin = await tcpOrigin((socket) => void socket.once('data', () => socket.resetAndDestroy()));
  const client = await overTls(at);
  client.write(connectHead(`127.0.0.1:${origin.port}`));
  await client.until('\r\n\r\n');
  client.write('x');
  await client.ended;
  await expect.poll(() => lines(at)[0]?.sallyport['error']).toBe('connection_terminated');
  await expect.poll(() => at.metric('sallyport_connections_open')).toBe(0);
});

test('the name of a client certificate is the user, also of what comes through a tunnel', async () => {
  const staff = makeStaffCa();
  const at = await lab({ client_ca_file: staff.file });
  const ada = staff.issue('ada');
  const shown = ['--proxy-cert', ada.certFile, '--proxy-key', ada.keyFile];
  const proxied = ['-x', at.url, '--proxy-cacert', at.certFile, ...shown];
  await curl(...proxied, '--cacert', at.caFile, 'https://api.anthropic.com/v1/messages', '-d', '{}');
  await curl(...proxied, 'http://refused.test/');
  await expect.poll(() => lines(at).map(({ user }) => user?.name)).toEqual(['ada', 'ada']);
});

test('the e-mail address may be the user instead, and where a certificate is optional none is no name', async () => {
  const staff = makeStaffCa();
  const at = await lab({ client_ca_file: staff.file, client_certificate: 'optional', user_from: 'email' });
  const { cert, key } = staff.issue('ada', 'email:ada@corp.test');
  for (const options of [{ cert, key }, {}]) {
    const client = await overTls(at, options);
    client.write(connectHead('refused.test:443'));
    expect(await client.until('Refused at the CONNECT')).toContain('403');
  }
  await expect.poll(() => lines(at).map(({ user }) => user?.name)).toEqual(['ada@corp.test', undefined]);
});

test('so may the name of an account in Active Directory', async () => {
  const staff = makeStaffCa();
  const at = await lab({ client_ca_file: staff.file, user_from: 'upn' });
  const { cert, key } = staff.issue('Ada', 'otherName:1.3.6.1.4.1.311.20.2.3;UTF8:ada@corp.test,email:a@x.test');
  const client = await overTls(at, { cert, key });
  client.write(connectHead('refused.test:443'));
  expect(await client.until('Refused at the CONNECT')).toContain('403');
  await expect.poll(() => lines(at).map(({ user }) => user?.name)).toEqual(['ada@corp.test']);
});

/** The status that a client with this certificate is answered with; empty: it was not let in. */
async function statusOf(at: TlsLab, pair: Pair, options: object = {}): Promise<string> {
  const own = { cert: pair.cert, key: pair.key };
  const client = rawClient(connectTls({ host: '127.0.0.1', port: at.port, ca: at.certificate, ...own, ...options }));
  client.write(connectHead('refused.test:443'));
  return (await client.ended).text.slice(9, 12);
}

test.each(['required', 'optional'])('a revoked certificate is refused from the reload on: %s', async (mode) => {
  const staff = makeStaffCa();
  const [ada, bob] = [staff.issue('ada'), staff.issue('bob')];
  const crl = staff.revoke([]);
  const at = await lab({ client_ca_file: staff.file, client_crl_file: crl, client_certificate: mode });
  expect([await statusOf(at, ada), await statusOf(at, bob)]).toEqual(['403', '403']);
  staff.revoke([ada]);
  expect(await statusOf(at, ada)).toBe('403');
  expect(at.gateway.reload()).toBe(true);
  expect([await statusOf(at, ada), await statusOf(at, bob)]).toEqual(['', '403']);
  await expect.poll(() => lines(at).map(({ user }) => user?.name)).toEqual(['ada', 'bob', 'ada', undefined, 'bob']);
  expect(lines(at)[3]?.sallyport['error']).toBe('proxy_tls_error');
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('no session of %s outlives what it was let in with', async (version) => {
  const staff = makeStaffCa();
  const ada = staff.issue('ada');
  const at = await lab({ client_ca_file: staff.file, client_crl_file: staff.revoke([]) });
  const options = { cert: ada.cert, key: ada.key, maxVersion: version };
  const given: Buffer[] = [];
  const first = connectTls({ host: '127.0.0.1', port: at.port, ca: at.certificate, ...options });
  const client = rawClient(first.on('session', (ticket: Buffer) => given.push(ticket)));
  client.write(connectHead('refused.test:443'));
  await client.ended;
  const [session] = given;
  expect(session).toBeInstanceOf(Buffer);
  staff.revoke([ada]);
  expect(await statusOf(at, ada, { ...options, session })).toBe('403');
  expect(at.gateway.reload()).toBe(true);
  expect(await statusOf(at, ada, { ...options, session })).toBe('');
});

test('an expired list refuses everybody, and is told; what is no list leaves the old', async () => {
  const staff = makeStaffCa();
  const ada = staff.issue('ada');
  const crl = staff.revoke([]);
  const at = await lab({ client_ca_file: staff.file, client_crl_file: crl });
  staff.revoke([], '20210101000000Z');
  const expired = readFileSync(crl);
  for (const [damage, told] of [
    [readFileSync(staff.file), 'contains no list of revoked certificates in PEM form'],
    [expired.toString().replace(/^.{20}(?=.*\n-----END)/m, ''), 'damaged'],
    [expired.toString().replace(/-----BEGIN X509 CRL-----\n.{8}/, '$&AAAA'), 'damaged'],
  ] as const) {
    writeFileSync(crl, damage);
    expect(at.gateway.reload()).toBe(false);
    expect(at.told.join('\n')).toContain(told);
    expect(await statusOf(at, ada)).toBe('403');
  }
  const expiry = (file: string): Promise<number> =>
    at.metric(`sallyport_proxy_tls_expiry_timestamp_seconds{file="${file}"}`);
  const end = Date.parse(new X509Certificate(at.certificate).validTo) / 1000;
  expect(await expiry('cert_file')).toBe(end);
  expect(await expiry('client_crl_file')).toBeGreaterThan(Date.now() / 1000);
  writeFileSync(crl, expired);
  expect(at.gateway.reload()).toBe(true);
  expect(await expiry('cert_file')).toBe(end);
  expect(await expiry('client_crl_file')).toBe(Date.UTC(2021, 0) / 1000);
  expect(at.told.join('\n')).toContain(
    'expired at 2021-01-01T00:00:00.000Z, so every client certificate is refused; download it again',
  );
  expect(await statusOf(at, ada)).toBe('');
});

test('the lists of several authorities may be in one file', async () => {
  const [staff, guests] = [makeStaffCa('Staff'), makeStaffCa('Guests')];
  const [ada, gil, bob] = [staff.issue('ada'), guests.issue('gil'), guests.issue('bob')];
  const crl = staff.revoke([ada]);
  writeFileSync(crl, readFileSync(crl, 'utf8') + readFileSync(guests.revoke([gil]), 'utf8'));
  writeFileSync(staff.file, readFileSync(staff.file, 'utf8') + readFileSync(guests.file, 'utf8'));
  const at = await lab({ client_ca_file: staff.file, client_crl_file: crl });
  expect([await statusOf(at, ada), await statusOf(at, gil), await statusOf(at, bob)]).toEqual(['', '', '403']);
});

test.each([
  ['no certificate', () => null],
  ['one of another authority', () => makeStaffCa().issue('ada', 'email:ada@corp.test')],
  ['one without the name that is asked for', (staff: StaffCa) => staff.issue('ada')],
])('where one is required %s gets nowhere, and is recorded', async (_what, shown) => {
  const staff = makeStaffCa();
  const at = await lab({ client_ca_file: staff.file, user_from: 'email' });
  const pair = shown(staff);
  const own = pair === null ? {} : { cert: pair.cert, key: pair.key };
  const client = rawClient(connectTls({ host: '127.0.0.1', port: at.port, ca: at.certificate, ...own }));
  client.write(connectHead('refused.test:443'));
  expect((await client.ended).text).toBe('');
  await expect
    .poll(() => lines(at)[0])
    .toMatchObject({ event: { action: 'arrival-rejected' }, sallyport: { error: 'proxy_tls_error' } });
  expect(lines(at)).toHaveLength(1);
});

test('HTTP/1.1 alone is spoken in it', async () => {
  const at = await lab();
  const both = await overTls(at, { ALPNProtocols: ['h2', 'http/1.1'] });
  expect(both.socket.alpnProtocol).toBe('http/1.1');
  await expect(overTls(at, { ALPNProtocols: ['h2'] })).rejects.toThrow(/alert|ALPN/i);
});

test.each(['at its start', 'after a reload'])('suites of old, and renegotiation, are refused %s', async (when) => {
  const at = await lab();
  if (when === 'after a reload') expect(at.gateway.reload()).toBe(true);
  const old = { maxVersion: 'TLSv1.2' } as const;
  for (const suite of ['AES128-SHA', 'AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-RSA-AES256-SHA384'])
    await expect(overTls(at, { ...old, ciphers: `${suite}:@SECLEVEL=0` }), suite).rejects.toThrow(/alert/);
  const { socket } = await overTls(at, old);
  const refused = new Promise<string>((resolve) => socket.once('error', (error: Error) => resolve(error.message)));
  socket.renegotiate({}, () => undefined);
  expect(await refused).toMatch(/no renegotiation/);
});

test.each([
  ['no TLS and no HTTP', '\0\0\0'],
  ['nothing', ''],
  ['one byte', '\x16'],
])('%s on its port ends by the deadline and is recorded once', async (_what, bytes) => {
  const at = await lab();
  const client = await connectRaw(at.port, bytes === '' ? undefined : bytes);
  expect((await client.ended).text).not.toContain('HTTP/');
  await expect.poll(() => lines(at).length).toBe(1);
  expect(['proxy_tls_error', 'request_timeout']).toContain(lines(at)[0]?.sallyport['error']);
  await expect.poll(() => at.metric('sallyport_connections_open')).toBe(0);
});

test('silence inside TLS is answered 408', async () => {
  const at = await lab();
  const client = await overTls(at);
  expect(await client.until('request_timeout')).toContain('HTTP/1.1 408 ');
});

test('a PROXY header may come before it', async () => {
  const at = await lab({}, { proxy_protocol: { trusted: ['127.0.0.1'] } });
  const socket = connect(at.port, '127.0.0.1');
  socket.write('PROXY TCP4 192.0.2.7 127.0.0.1 4711 3128\r\n');
  const client = await overTls(at, {}, socket);
  client.write(connectHead('refused.test:443'));
  await client.until('Refused at the CONNECT');
  await expect.poll(() => lines(at)[0]?.source).toMatchObject({ ip: '192.0.2.7', port: 4711 });
});

async function fingerprintOf(at: TlsLab): Promise<string> {
  const { socket } = await overTls(at, { rejectUnauthorized: false });
  return socket.getPeerCertificate().fingerprint256;
}

test('a reload shows a new certificate, and one that cannot be used leaves the old', async () => {
  const at = await lab();
  const before = await fingerprintOf(at);
  const next = makeCertificate('127.0.0.1');
  onTestFinished(() => next.remove());
  writeFileSync(at.certFile, next.cert);
  expect(at.gateway.reload()).toBe(false);
  expect(at.told.join('\n')).toContain('do not match');
  expect(await fingerprintOf(at)).toBe(before);
  writeFileSync(at.certFile.replace('cert.pem', 'key.pem'), readFileSync(next.file.replace('cert.pem', 'key.pem')));
  expect(at.gateway.reload()).toBe(true);
  expect(await fingerprintOf(at)).not.toBe(before);
});

test('a reload that fails over another file leaves the certificate too', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-htpasswd-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const passwords = join(dir, 'htpasswd');
  writeFileSync(passwords, await bcryptLine('ada'));
  const at = await lab({}, {}, { clients: { authentication: { password_file: passwords } } });
  const before = await fingerprintOf(at);
  const next = makeCertificate('127.0.0.1');
  onTestFinished(() => next.remove());
  writeFileSync(at.certFile, next.cert);
  writeFileSync(at.certFile.replace('cert.pem', 'key.pem'), readFileSync(next.file.replace('cert.pem', 'key.pem')));
  writeFileSync(passwords, 'ada:plain\n');
  expect(at.gateway.reload()).toBe(false);
  expect(at.told.join('\n')).toMatch(/reload failed, the old policy stays: .*htpasswd/);
  expect(await fingerprintOf(at)).toBe(before);
  writeFileSync(passwords, await bcryptLine('ada'));
  expect(at.gateway.reload()).toBe(true);
  expect(await fingerprintOf(at)).not.toBe(before);
});

test('the proxy does not dial its own port over TLS', async () => {
  const at = await lab();
  const client = await connectRaw(at.proxyPort, connectHead(`127.0.0.1:${at.port}`));
  expect((await client.ended).text).toContain('destination_prohibited');
});
