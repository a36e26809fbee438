/** The proxy over TLS with a certificate of our own CA: real clients that trust the CA, and nothing else. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { curl } from '../support/curl.ts';
import { makeStaffCa } from '../support/staff-ca.ts';
import { httpOrigin, type RawClient } from '../support/streams.ts';
import { linesOf, overTls, tlsLab, type TlsLab } from '../support/tls-lab.ts';
import { connectHead } from '../support/tunnels.ts';

/** A lab whose own CA certifies the port. */
function ownLab(names: readonly string[], more: object = {}): Promise<TlsLab> {
  return tlsLab({ cert_file: undefined, key_file: undefined, server_names: names, ...more });
}

const namesOf = (client: RawClient<TLSSocket>): unknown => client.socket.getPeerCertificate().subjectaltname;

test('without a certificate our own CA makes one, for every name that clients know the proxy by', async () => {
  const at = await ownLab(['proxy.test', '127.0.0.1', '::1']);
  const origin = await httpOrigin((_req, res) => res.end('hi'));
  const url = `http://127.0.0.1:${origin.port}/`;
  const trusting = ['--proxy-cacert', at.caFile];
  expect(await curl('-x', at.url, ...trusting, url)).toMatchObject({ exit: 0, out: 'hi' });
  const resolved = ['--resolve', `proxy.test:${at.port}:127.0.0.1`, '--resolve', `other.test:${at.port}:127.0.0.1`];
  const named = (name: string): ReturnType<typeof curl> =>
    curl(...resolved, '-x', `https://${name}:${at.port}`, ...trusting, '--proxytunnel', url);
  expect(await named('proxy.test')).toMatchObject({ exit: 0, out: 'hi' });
  expect((await named('other.test')).exit).toBe(60);
  const client = await overTls(at, { ca: at.ca, servername: 'proxy.test' });
  expect(client.socket.authorized).toBe(true);
  expect(namesOf(client)).toBe('DNS:proxy.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
  client.write(connectHead('refused.test:443'));
  expect(await client.until('Refused at the CONNECT')).toContain('403');
});

test('a reload takes other names, and files in their place; client certificates go on being asked for', async () => {
  const staff = makeStaffCa();
  const { cert, key } = staff.issue('ada');
  const at = await ownLab(['127.0.0.1'], { client_ca_file: staff.file });
  const connectAgain = (ca: string): Promise<RawClient<TLSSocket>> => overTls(at, { ca, cert, key });
  expect(namesOf(await connectAgain(at.ca))).toBe('IP Address:127.0.0.1');
  const config = readFileSync(at.file, 'utf8');
  writeFileSync(at.file, config.replace(/(server_names:\s+- )127\.0\.0\.1/, '$1proxy.test\n      - 127.0.0.1'));
  expect(at.gateway.reload()).toBe(true);
  expect(namesOf(await connectAgain(at.ca))).toBe('DNS:proxy.test, IP Address:127.0.0.1');
  const keyFile = at.certFile.replace('cert.pem', 'key.pem');
  writeFileSync(
    at.file,
    config.replace(/server_names:\s+- 127\.0\.0\.1/, `cert_file: ${at.certFile}\n    key_file: ${keyFile}`),
  );
  expect(at.gateway.reload()).toBe(true);
  const client = await connectAgain(at.certificate);
  client.write(connectHead('refused.test:443'));
  await client.until('Refused at the CONNECT');
  await expect.poll(() => linesOf(at).at(-1)?.user?.name).toBe('ada');
  expect(at.told.join('\n')).not.toContain('restart');
});
