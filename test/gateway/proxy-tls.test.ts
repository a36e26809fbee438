/**
 * What a clock makes of the certificate that our own CA gives the port; the rest is in test/flows/proxy-tls.test.ts.
 */
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { openAuthority, type Authority } from '../../src/certificates/authority.ts';
import { makeLeafKey } from '../../src/certificates/leaves.ts';
import type { Config } from '../../src/config/schema.ts';
import { openProxyTls, type ProxyTlsPort } from '../../src/gateway/proxy-tls.ts';
import { options } from '../certificates/workbench.ts';
import { socketPair } from '../support/streams.ts';

const day = 86_400_000;

const configOf = (...names: readonly string[]): Config =>
  ({
    proxyTls: {
      files: null,
      serverNames: names.map((host) => ({ host, kind: 'name' })),
      clientCaFile: null,
      clientCrlFile: null,
      clientCertificate: 'required',
      userFrom: 'cn',
    },
    limits: { headTimeout: 5_000 },
    certificates: { leafDays: 60 },
  }) as unknown as Config;

interface Port {
  readonly authority: Authority;
  readonly tls: ProxyTlsPort;
  readonly told: readonly string[];
  /** Sets the clock of the proxy. */
  readonly at: (now: number) => void;
}

async function port(): Promise<Port> {
  const authority = await openAuthority(options());
  const told: string[] = [];
  let now = Date.now();
  const tls = openProxyTls(configOf('proxy.test'), {
    authority,
    key: makeLeafKey('ecdsa-p256'),
    now: () => now,
    log: (line) => void told.push(line),
  });
  if (tls === null) throw new Error('there is no port');
  return { authority, tls, told, at: (next) => void (now = next) };
}

interface Shown {
  readonly serial: string;
  readonly from: number;
  readonly until: number;
  readonly names: string | undefined;
}

/** What a client is shown, whose own clock is that of the machine. */
async function shown({ authority, tls }: Port): Promise<Shown> {
  const { near, far } = await socketPair();
  tls.handshake(
    near,
    () => undefined,
    () => undefined,
  );
  const client = connect({ socket: far, rejectUnauthorized: false });
  onTestFinished(() => void client.destroy());
  await new Promise((resolve, reject) => client.once('secureConnect', resolve).once('error', reject));
  const leaf = client.getPeerX509Certificate();
  expect(leaf?.verify(new X509Certificate(authority.anchor.pem).publicKey)).toBe(true);
  const { serialNumber = '', validFrom = '', validTo = '', subjectAltName } = leaf ?? {};
  return { serial: serialNumber, from: Date.parse(validFrom), until: Date.parse(validTo), names: subjectAltName };
}

test('one certificate is shown for half its life, and then another, long before the first ends', async () => {
  const here = await port();
  const start = Date.now();
  const first = await shown(here);
  here.at(start + 29 * day);
  expect(await shown(here)).toEqual(first);
  here.at(start + 31 * day);
  const second = await shown(here);
  expect(second.serial).not.toBe(first.serial);
  expect(second.until).toBeGreaterThan(start + 90 * day);
  expect(await shown(here)).toEqual(second);
  expect(here.told).toEqual([]);
});

test('a clock that is set back makes another, which is not from the future', async () => {
  const here = await port();
  const start = Date.now();
  here.at(start + 31 * day);
  expect((await shown(here)).from).toBeGreaterThan(start);
  here.at(start);
  expect((await shown(here)).from).toBeLessThan(start);
});

test('once the CA has ended the last one stays, which is told once an hour, and a reload goes through', async () => {
  const here = await port();
  const first = await shown(here);
  here.at(here.authority.notAfter + day);
  expect(await shown(here)).toEqual(first);
  expect(await shown(here)).toEqual(first);
  const line = expect.stringMatching(
    /^the certificate of listen.proxy_tls was not renewed: the CA in .* has expired$/,
  ) as unknown;
  expect(here.told).toEqual([line]);
  here.at(here.authority.notAfter + day + 3_600_001);
  await shown(here);
  expect(here.told).toEqual([line, line]);
  here.tls.toFollow(configOf('next.test'))();
  expect(await shown(here)).toEqual(first);
});

test('without a name that could be shown the port does not open once the CA has ended', async () => {
  const authority = await openAuthority(options());
  const given = { authority, key: makeLeafKey('ecdsa-p256'), log: () => undefined };
  expect(() => openProxyTls(configOf('proxy.test'), { ...given, now: () => authority.notAfter })).toThrow(
    /has expired; supply a valid one, or set listen\.proxy_tls\.cert_file$/,
  );
});
