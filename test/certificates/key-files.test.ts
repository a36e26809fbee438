import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openAuthority } from '../../src/certificates/authority.ts';
import { authorityCertificate, createMint, generateKey } from '../../src/certificates/x509.ts';
import { folder, hasOpenssl, issuingBelowRoot, openssl, options } from './workbench.ts';

const day = 86_400_000;

describe('a CA that is brought along', () => {
  const write = (dir: string, name: string, content: string, mode = 0o600): string => {
    const file = join(dir, name);
    writeFileSync(file, content, { mode });
    return file;
  };

  test.each([
    ['ecdsa-p256', 'pkcs8'],
    ['ecdsa-p256', 'sec1'],
    ['rsa-2048', 'pkcs8'],
    ['rsa-2048', 'pkcs1'],
  ] as const)('may have an encrypted key: %s, %s', async (keyType, type) => {
    const dir = folder();
    const key = await generateKey(keyType);
    const passphrase = 'correct horse';
    const encrypted = key.export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase } as never);
    const own = {
      certFile: write(dir, 'own.pem', authorityCertificate(key, 'Own', Date.now())),
      keyFile: write(dir, 'own.key', String(encrypted)),
      passphraseFile: write(dir, 'pass', `${passphrase}\n`),
    };
    const given = options({ dir: join(dir, 'unused'), own });
    const authority = await openAuthority(given);
    expect(authority.source).toBe('brought');
    expect(authority.key.equals(key)).toBe(true);
    expect(existsSync(given.dir)).toBe(false);

    writeFileSync(own.passphraseFile, 'wrong horse');
    const wrong = await openAuthority(given).catch((error: unknown) => String(error));
    expect(wrong).toBe(
      `ConfigError: ${own.keyFile}: the passphrase in ${own.passphraseFile} does not open the key of the CA`,
    );
    await expect(openAuthority(options({ own: { ...own, passphraseFile: null } }))).rejects.toThrow(
      `${own.keyFile}: the key of the CA is encrypted: set certificates.authority.passphrase_file to the file with its passphrase`,
    );
  });

  test('is refused where it is no CA, open to others, or not there', async () => {
    const dir = folder();
    const above = await openAuthority(options());
    const key = await generateKey('ecdsa-p256');
    const leaf = createMint(above, key)({ host: 'x.test', kind: 'name' }, Date.now() - day, Date.now() + day);
    const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const own = { certFile: write(dir, 'own.pem', leaf), keyFile: write(dir, 'own.key', pem), passphraseFile: null };
    await expect(openAuthority(options({ own }))).rejects.toThrow(/CN=x\.test is not a certificate authority/);
    writeFileSync(own.certFile, authorityCertificate(key, 'Own', Date.now()));
    await expect(openAuthority(options({ own }))).resolves.toMatchObject({ source: 'brought' });
    chmodSync(own.keyFile, 0o640);
    await expect(openAuthority(options({ own }))).rejects.toThrow('(mode 0640): run "chmod 600');
    rmSync(own.keyFile);
    await expect(openAuthority(options({ own }))).rejects.toThrow(
      /own\.key: the key of the CA cannot be read \(ENOENT\)/,
    );
    rmSync(own.certFile);
    await expect(openAuthority(options({ own }))).rejects.toThrow(/own\.pem: the certificate of the CA is missing/);
  });

  test.runIf(hasOpenssl)('may stand below other CAs: they are sent, the root is what devices trust', async () => {
    const dir = folder();
    const own = issuingBelowRoot(dir);
    const authority = await openAuthority(options({ own }));
    const issuing = readFileSync(join(dir, 'own.pem'));
    expect(authority.subject).toBe('O=Own, CN=Issuing');
    expect(authority.anchor.subject).toBe('O=Own, CN=Root');
    expect(new X509Certificate(authority.chain).fingerprint256).toBe(authority.fingerprint);
    expect(authority.chain.match(/BEGIN/g)).toHaveLength(1);
    expect(authority.notAfter).toBe(Date.parse(new X509Certificate(issuing).validTo));

    const mint = createMint(authority, await generateKey('ecdsa-p256'));
    const leaf = write(
      dir,
      'leaf.pem',
      mint({ host: 'x.test', kind: 'name' }, authority.notBefore, authority.notAfter),
    );
    const chain = write(dir, 'chain.pem', authority.chain);
    const verified = openssl(['verify', '-x509_strict', '-CAfile', join(dir, 'root.pem'), '-untrusted', chain, leaf]);
    expect(verified.output).toBe(`${leaf}: OK\n`);
  });
});
