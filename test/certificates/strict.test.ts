import { X509Certificate } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findAuthority, openAuthority } from '../../src/certificates/authority.ts';
import { createMint, generateKey } from '../../src/certificates/x509.ts';
import { strictFaults } from '../../src/certificates/strict.ts';
import { folder, hasOpenssl, issuingBelowRoot, openssl, options } from './workbench.ts';

/** A root with these extensions and no other, made by OpenSSL, which would add key identifiers by itself. */
function rootWith(extensions: readonly string[]) {
  const dir = folder();
  const at = (name: string): string => join(dir, name);
  const none = ['subjectKeyIdentifier=none', 'authorityKeyIdentifier=none'];
  const all = [...extensions, ...none.filter((line) => !extensions.some((own) => own.startsWith(line.slice(0, 12))))];
  writeFileSync(at('extensions'), `${all.join('\n')}\n`);
  const commands = [
    `req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Root -keyout ${at('ca.key')} -out ${at('csr')}`,
    `x509 -req -in ${at('csr')} -signkey ${at('ca.key')} -extfile ${at('extensions')} -days 20 -out ${at('ca.pem')}`,
  ];
  for (const command of commands) expect(openssl(command.split(' '))).toMatchObject({ status: 0 });
  chmodSync(at('ca.key'), 0o600);
  return { certFile: at('ca.pem'), keyFile: at('ca.key'), passphraseFile: null };
}

/** Whether OpenSSL takes a leaf that an authority has signed. */
async function verified(own: ReturnType<typeof rootWith>, ...flags: readonly string[]): Promise<boolean> {
  const authority = await findAuthority(options({ own }));
  if (authority === null) throw new Error('there is no authority');
  const hour = 3_600_000;
  const mint = createMint(authority, await generateKey('ecdsa-p256'));
  const leaf = join(folder(), 'leaf.pem');
  writeFileSync(leaf, mint({ host: 'a.test', kind: 'name' }, Date.now() - hour, Date.now() + hour));
  return openssl(['verify', ...flags, '-CAfile', own.certFile, leaf]).status === 0;
}

const ca = 'basicConstraints=critical,CA:TRUE';
const usage = 'keyUsage=critical,keyCertSign';
const id = 'subjectKeyIdentifier=hash';

test.skipIf(!hasOpenssl).each([
  ['all that a CA needs', [ca, usage, id], []],
  ['a keyUsage that is not critical', [ca, 'keyUsage=keyCertSign', id], []],
  ['no keyUsage', [ca, id], ['it has no keyUsage']],
  ['no subject key identifier', [ca, usage], ['it has no subject key identifier']],
  [
    'basicConstraints that are not critical',
    ['basicConstraints=CA:TRUE', usage, id],
    ['its basicConstraints are not critical'],
  ],
  ['neither of two', [ca], ['it has no keyUsage', 'it has no subject key identifier']],
])('a root with %s: OpenSSL is of the same opinion', async (_, extensions, faults) => {
  const own = rootWith(extensions);
  expect(strictFaults(new X509Certificate(readFileSync(own.certFile)), true)).toEqual(faults);
  expect(await verified(own)).toBe(true);
  expect(await verified(own, '-x509_strict')).toBe(faults.length === 0);
});

test.skipIf(!hasOpenssl)('what a company has below its root is fit, and names the one above', async () => {
  const own = issuingBelowRoot(folder());
  expect(await findAuthority(options({ own }))).toMatchObject({ doubt: null });
  const alone = new X509Certificate(readFileSync(rootWith([ca, usage, id]).certFile));
  expect(strictFaults(alone, false)).toEqual(['it has no authority key identifier']);
});

test('a CA that was made here is fit', async () => {
  expect((await openAuthority(options())).doubt).toBeNull();
});

test.skipIf(!hasOpenssl)('what some clients refuse has its cure', async () => {
  const own = rootWith([ca]);
  expect((await findAuthority(options({ own })))?.doubt).toEqual({
    says: `${own.certFile}: strict clients, such as Python 3.13, refuse CN=Root: it has no keyUsage, and it has no subject key identifier`,
    cure: 'make it again with basicConstraints=critical,CA:TRUE, keyUsage=critical,keyCertSign and both key identifiers',
  });
});
