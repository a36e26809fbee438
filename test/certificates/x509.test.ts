import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openAuthority, type Authority } from '../../src/certificates/authority.ts';
import { createMint, generateKey, type Host, type KeyType, type Mint } from '../../src/certificates/x509.ts';
import { folder, hasOpenssl, openssl, options } from './workbench.ts';

const day = 86_400_000;
const label = 'l'.repeat(63);
const longest = `${label}.${label}.${label}.${'m'.repeat(61)}`;
const keyTypes = ['ecdsa-p256', 'rsa-2048'] as const;

const hosts: readonly Host[] = [
  { host: 'claude.ai', kind: 'name' },
  { host: 'xn--bcher-kva.example', kind: 'name' },
  { host: 'a_b.example', kind: 'name' },
  { host: `${'n'.repeat(59)}.test`, kind: 'name' },
  { host: `${'n'.repeat(60)}.test`, kind: 'name' },
  { host: longest, kind: 'name' },
  { host: '192.0.2.1', kind: 'ipv4' },
  { host: '2001:db8::1', kind: 'ipv6' },
];

async function setUp(keyType: KeyType): Promise<{ dir: string; authority: Authority; mint: Mint }> {
  const dir = folder();
  const authority = await openAuthority(options({ dir, keyType }));
  return { dir, authority, mint: createMint(authority, await generateKey(keyType)) };
}

/** A leaf as the proxy makes it: from yesterday on. */
const leafOf = (mint: Mint, host: Host): string => mint(host, Date.now() - day, Date.now() + 60 * day);

function fileOf(dir: string, pem: string): string {
  const file = join(dir, 'leaf.pem');
  writeFileSync(file, pem);
  return file;
}

describe.each(keyTypes)('a leaf, %s', (keyType) => {
  test.runIf(hasOpenssl)('satisfies OpenSSL at its strictest, for its own host alone', async () => {
    const { dir, authority, mint } = await setUp(keyType);
    for (const host of hosts) {
      const file = fileOf(dir, leafOf(mint, host));
      const verify = (name: string): string => {
        const flag = host.kind === 'name' ? '-verify_hostname' : '-verify_ip';
        const strict = ['-x509_strict', '-check_ss_sig', '-purpose', 'sslserver', '-auth_level', '2'];
        return openssl(['verify', ...strict, '-CAfile', authority.certFile, flag, name, file]).output;
      };
      expect(verify(host.host)).toBe(`${file}: OK\n`);
      expect(verify(host.kind === 'name' ? `www.${host.host}`.slice(0, 200) : '192.0.2.9')).toMatch(/mismatch/);
    }
  });

  test.runIf(hasOpenssl)('bears exactly the extensions that clients insist on', async () => {
    const { dir, authority, mint } = await setUp(keyType);
    const text = openssl([
      'x509',
      '-noout',
      '-text',
      '-in',
      fileOf(dir, leafOf(mint, { host: 'x.test', kind: 'name' })),
    ]);
    const usage = keyType === 'rsa-2048' ? 'Digital Signature, Key Encipherment' : 'Digital Signature';
    const id = (authority.subjectKeyId.toString('hex').toUpperCase().match(/../g) ?? []).join(':');
    const extensions = /X509v3 extensions:\n([\s\S]*?)\n {4}Signature/.exec(text.output)?.[1] ?? '';
    const lines = extensions.split('\n').map((line) => line.trim());
    expect(lines).toEqual([
      'X509v3 Subject Alternative Name:',
      'DNS:x.test',
      'X509v3 Basic Constraints: critical',
      'CA:FALSE',
      'X509v3 Key Usage: critical',
      usage,
      'X509v3 Extended Key Usage:',
      'TLS Web Server Authentication',
      'X509v3 Subject Key Identifier:',
      expect.stringMatching(/^([0-9A-F]{2}:){19}[0-9A-F]{2}$/),
      'X509v3 Authority Key Identifier:',
      id,
    ]);
  });

  test('names exactly one host: in the alternative name, and as CN where it fits', async () => {
    const { mint } = await setUp(keyType);
    for (const { host, kind } of hosts) {
      const leaf = new X509Certificate(leafOf(mint, { host, kind }));
      expect(leaf.subject).toBe(host.length <= 64 ? `CN=${host}` : undefined);
      expect(kind === 'name' ? leaf.checkHost(host, { subject: 'never' }) : leaf.checkIP(host)).toBe(host);
      expect(leaf.subjectAltName?.split(', ')).toHaveLength(1);
      expect(leaf.checkHost(`www.${host}`)).toBeUndefined();
    }
  });

  test('makes 1,000 leaves, each with a serial of its own, all accepted', async () => {
    const { dir, authority, mint } = await setUp(keyType);
    const issuer = new X509Certificate(authority.certificate);
    const { publicKey } = issuer;
    const serials = new Set<string>();
    for (let index = 0; index < 1000; index += 1) {
      const host = `host-${index}.example`;
      const pem = leafOf(mint, { host, kind: 'name' });
      const leaf = new X509Certificate(pem);
      serials.add(leaf.serialNumber);
      expect(leaf.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
      expect([leaf.checkIssued(issuer), leaf.verify(publicKey), leaf.ca]).toEqual([true, true, false]);
      expect(leaf.checkHost(host)).toBe(host);
      if (hasOpenssl && index % 100 === 0) {
        const file = fileOf(dir, pem);
        expect(openssl(['verify', '-x509_strict', '-CAfile', authority.certFile, file]).output).toBe(`${file}: OK\n`);
      }
    }
    expect(serials.size).toBe(1000);
  });
});

test.each(keyTypes)(
  'the signature of a CA with a key of type %s is independent of the type of the leaf',
  async (keyType) => {
    const { authority } = await setUp(keyType);
    const mint = createMint(authority, await generateKey(keyType === 'rsa-2048' ? 'ecdsa-p256' : 'rsa-2048'));
    const leaf = new X509Certificate(leafOf(mint, { host: 'x.test', kind: 'name' }));
    expect(leaf.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  },
);

test.runIf(hasOpenssl)('the CA may sign leaves and no further CA', async () => {
  const { authority } = await setUp('ecdsa-p256');
  const { output } = openssl(['x509', '-noout', '-text', '-in', authority.certFile]);
  expect(output).toMatch(/Basic Constraints: critical\n\s+CA:TRUE, pathlen:0\n/);
  expect(output).toMatch(/Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/);
  expect(output).toMatch(/Subject Key Identifier: ?\n/);
});
