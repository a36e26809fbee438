/** An authority of client certificates, and certificates of it, made by the openssl command line tool. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface StaffCa {
  readonly file: string;
  /** Takes it back: writes the list of all that were, which holds until then. Gives the list's file. */
  readonly revoke: (pairs: readonly Pair[], until?: string) => string;
  /** `names` as in `email:ada@corp.test,email:ada@other.test`; empty: none. */
  readonly issue: (commonName: string, names?: string) => Pair;
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** There until the test ends. */
export function makeStaffCa(name = 'Staff'): StaffCa {
  const dir = mkdtempSync(join(tmpdir(), 'staff-ca-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const at = (name: string): string => join(dir, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  openssl(
    'req',
    '-x509',
    ...curve,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  );
  let made = 0;
  writeFileSync(at('ca.cnf'), '[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ndefault_md=sha256\ncrlnumber=number\n');
  return {
    file: at('ca.pem'),
    revoke(pairs, until = '20991231235959Z') {
      writeFileSync(at('index.txt'), '');
      writeFileSync(at('number'), '01\n');
      const ca = ['ca', '-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key'];
      const run = (...args: string[]): void =>
        void execFileSync('openssl', [...ca, ...args], { stdio: 'pipe', cwd: dir });
      for (const { certFile } of pairs) run('-revoke', certFile);
      run('-gencrl', '-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', until, '-out', 'crl.pem');
      return at('crl.pem');
    },
    issue(commonName, names = '') {
      made += 1;
      const [csr, key, cert, ext] = ['csr', 'key', 'pem', 'ext'].map((end) => at(`${made}.${end}`)) as [
        string,
        string,
        string,
        string,
      ];
      openssl('req', ...curve, '-subj', `/CN=${commonName}`, '-keyout', key, '-out', csr);
      writeFileSync(ext, names === '' ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=${names}\n`);
      const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', ext];
      openssl('x509', '-req', '-in', csr, ...signed, '-out', cert);
      return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8'), certFile: cert, keyFile: key };
    },
  };
}
