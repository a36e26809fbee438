import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findAuthority, openAuthority, validityFault } from '../../src/certificates/authority.ts';
import { ConfigError } from '../../src/errors.ts';
import { folder, options } from './workbench.ts';

const day = 86_400_000;
const modeOf = (file: string): number => statSync(file).mode & 0o777;

describe('a first run', () => {
  test.each(['ecdsa-p256', 'rsa-2048'] as const)('makes a CA with a key of type %s', async (keyType) => {
    const before = Date.now();
    const authority = await openAuthority(options({ keyType }));
    const certificate = new X509Certificate(readFileSync(authority.certFile));

    expect(authority.source).toBe('made');
    expect(authority.certificate).toBe(readFileSync(authority.certFile, 'utf8'));
    expect(authority.anchor.pem).toBe(authority.certificate);
    expect(authority.chain).toBe('');
    expect(authority.key.asymmetricKeyType).toBe(keyType === 'rsa-2048' ? 'rsa' : 'ec');
    expect(authority.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(authority.fingerprint).toBe(certificate.fingerprint256);
    expect(authority.subject).toMatch(/^O=Example Ltd, CN=Example Ltd Sallyport CA \d{4} [0-9a-f]{6}$/);
    expect(authority.subjectKeyId).toHaveLength(20);
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(before - authority.notBefore).toBeGreaterThan(day - 5000);
    expect(authority.notAfter - before).toBeGreaterThan(5 * 365 * day);
    expect(authority.notAfter - before).toBeLessThan(5.1 * 365 * day);
  });

  test('makes the folder for its owner alone, the key 0600 and the certificate 0644, and leaves nothing else', async () => {
    const dir = join(folder(), 'new', 'certs');
    const umask = process.umask(0o077);
    await openAuthority(options({ dir })).finally(() => process.umask(umask));
    expect(modeOf(dir)).toBe(0o700);
    expect(modeOf(join(dir, 'ca.key'))).toBe(0o600);
    expect(modeOf(join(dir, 'ca.pem'))).toBe(0o644);
    expect(readdirSync(dir).sort()).toEqual(['ca.key', 'ca.pem']);
  });

  test.each([
    ['a very long name', 'Österreichische Gesellschaft für Vermögensverwaltung und Beteiligungen mbH & Co. KG'],
    ['characters beyond the first plane', '𠮷'.repeat(70)],
    ['no name', ''],
  ])('keeps the parts of the subject within 64 characters: %s', async (_what, organisation) => {
    const { subject } = await openAuthority(options({ organisation }));
    const parts = subject.split(', ').map((part) => Array.from(part.replace(/^\w+=/, '')).length);
    expect(Math.max(...parts)).toBeLessThanOrEqual(64);
    expect(subject).toContain('Sallyport CA');
  });

  test('says in one line which folder cannot be written', async () => {
    const dir = join(folder(), 'file');
    writeFileSync(dir, '');
    await expect(openAuthority(options({ dir }))).rejects.toThrow(
      /ca\.(pem|key): .*cannot be (read|written) \(ENOTDIR\)/,
    );
  });
});

describe('a later run', () => {
  test('finds the same CA, whatever type configuration names by then', async () => {
    const given = options();
    const first = await openAuthority(given);
    const second = await openAuthority({ ...given, keyType: 'rsa-2048', organisation: 'Other' });
    expect(second).toEqual({ ...first, key: expect.anything() as unknown, source: 'found' });
    expect(second.key.equals(first.key)).toBe(true);
  });

  test('finishes a start that was cut off between key and certificate', async () => {
    const given = options();
    const first = await openAuthority(given);
    rmSync(first.certFile);
    expect(await findAuthority(given)).toBeNull();
    const second = await openAuthority(given);
    expect(second.key.equals(first.key)).toBe(true);
    expect(new X509Certificate(second.certificate).checkPrivateKey(first.key)).toBe(true);
  });

  test.each([0o640, 0o604, 0o660, 0o644])('refuses a key of mode %o, naming file and cure', async (mode) => {
    const given = options();
    const { keyFile } = await openAuthority(given);
    chmodSync(keyFile, mode);
    const refused = openAuthority(given);
    await expect(refused).rejects.toBeInstanceOf(ConfigError);
    await expect(refused).rejects.toThrow(`run "chmod 600 ${keyFile}"`);
  });

  test.each([
    ['expired', 6 * 365 * day, /ca\.pem: the CA expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC: move it and its key away/],
    ['not yet valid', -3 * day, /ca\.pem: the CA is not valid before .* UTC: set the clock/],
  ])('refuses a CA that is %s, but can still show it', async (_what, offset, message) => {
    const given = options();
    await openAuthority(given);
    const later = { ...given, now: () => Date.now() + offset };
    await expect(openAuthority(later)).rejects.toThrow(message);
    const found = await findAuthority(later);
    expect(found === null ? null : validityFault(found, later.now())).not.toBeNull();
  });

  test('refuses, and keeps, what it cannot use', async () => {
    const [one, two] = [options(), options()];
    const [first, second] = [await openAuthority(one), await openAuthority(two)];
    const refusal = async (file: string, content: string | null): Promise<string> => {
      const before = readFileSync(file);
      if (content === null) rmSync(file);
      else writeFileSync(file, content);
      const error = await openAuthority(one).catch((caught: unknown) => caught);
      expect(existsSync(file) ? readFileSync(file, 'utf8') : null).toBe(content);
      writeFileSync(file, before);
      chmodSync(file, file === first.keyFile ? 0o600 : 0o644);
      expect(error).toBeInstanceOf(ConfigError);
      return (error as Error).message;
    };
    const otherKey = second.key.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(await refusal(first.certFile, second.certificate)).toMatch(/no certificate in it belongs to the key in/);
    expect(await refusal(first.keyFile, otherKey)).toMatch(/no certificate in it belongs to the key in/);
    expect(await refusal(first.keyFile, null)).toMatch(/a certificate but no key: put its key back, or move/);
    expect(await refusal(first.keyFile, '')).toMatch(/not a readable private key in PEM/);
    expect(await refusal(first.certFile, '')).toMatch(/it contains no certificate in PEM form/);
    const damaged = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(await refusal(first.certFile, damaged)).toMatch(/its certificate 1 is damaged/);
    await expect(openAuthority(one)).resolves.toMatchObject({ fingerprint: first.fingerprint });
  });
});
