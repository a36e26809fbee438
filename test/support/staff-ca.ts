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
  /** `names` as in `email:ada@corp.test,email:ada@other.test`; empty: none. */
  readonly issue: (commonName: string, names?: string) => Pair;
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** There until the test ends. */
export function makeStaffCa(): StaffCa {
  const dir = mkdtempSync(join(tmpdir(), 'staff-ca-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const at = (name: string): string => join(dir, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  openssl('req', '-x509', ...curve, '-days', '2', '-subj', '/CN=Staff', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  let made = 0;
  return {
    file: at('ca.pem'),
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
