import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAuthority } from '../../src/certificates/authority.ts';
import { isDue, makeLeafKey } from '../../src/certificates/leaves.ts';
import { mintPortLeaf } from '../../src/certificates/port-leaf.ts';
import type { Host } from '../../src/certificates/x509.ts';
import { folder, hasOpenssl, issuingBelowRoot, openssl, options } from './workbench.ts';

const day = 86_400_000;
const names: readonly [Host, ...Host[]] = [
  { host: 'proxy.test', kind: 'name' },
  { host: '192.0.2.7', kind: 'ipv4' },
  { host: '2001:db8::1', kind: 'ipv6' },
];
const long: Host = { host: `${'l'.repeat(63)}.${'m'.repeat(63)}.test`, kind: 'name' };

test.runIf(hasOpenssl).each(['made', 'brought'])(
  'OpenSSL takes it for each of its names, from a CA that was %s',
  async (source) => {
    const dir = folder();
    const own = source === 'brought' ? issuingBelowRoot(dir) : null;
    const authority = await openAuthority(options({ dir, own }));
    for (const all of [names, [long, ...names]] as const) {
      const { cert, key } = mintPortLeaf(authority, all, {
        key: makeLeafKey('ecdsa-p256'),
        leafDays: 60,
        now: Date.now(),
      });
      expect(key).toContain('PRIVATE KEY');
      writeFileSync(join(dir, 'leaf.pem'), cert);
      writeFileSync(join(dir, 'anchor.pem'), authority.anchor.pem);
      const verify = (flag: string, name: string): string => {
        const files = ['-CAfile', join(dir, 'anchor.pem'), '-untrusted', join(dir, 'leaf.pem')];
        return openssl(['verify', '-x509_strict', '-purpose', 'sslserver', ...files, flag, name, join(dir, 'leaf.pem')])
          .output;
      };
      for (const { host, kind } of all)
        expect(verify(kind === 'name' ? '-verify_hostname' : '-verify_ip', host)).toMatch(/: OK\n$/);
      expect(verify('-verify_hostname', 'other.test')).toContain('mismatch');
      expect(verify('-verify_ip', '192.0.2.8')).toContain('mismatch');
    }
  },
);

test('it is renewed at half its life, never outlives the CA, and none is made once that has ended', async () => {
  const authority = await openAuthority(options());
  const key = makeLeafKey('ecdsa-p256');
  const now = Date.now();
  const leaf = mintPortLeaf(authority, names, { key, leafDays: 60, now });
  expect([leaf.until - now, leaf.renewal - now]).toEqual([60 * day, 30 * day]);
  expect([isDue(leaf, now), isDue(leaf, leaf.renewal - 1), isDue(leaf, leaf.renewal)]).toEqual([false, false, true]);
  expect(isDue(leaf, now - 2 * day)).toBe(true);
  expect(new X509Certificate(leaf.cert).subjectAltName).toBe(
    'DNS:proxy.test, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:1',
  );
  const last = mintPortLeaf(authority, names, { key, leafDays: 60, now: authority.notAfter - day });
  expect(last.until).toBe(authority.notAfter);
  expect(() => mintPortLeaf(authority, names, { key, leafDays: 60, now: authority.notAfter })).toThrow('has expired');
});
