/** What the tests of the certificates share: an authority in a folder of its own, and the tools that judge it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AuthorityOptions } from '../../src/certificates/authority.ts';
import type { HostKind, Hostname, Target } from '../../src/flow.ts';

export function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-ca-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function options(given: Partial<AuthorityOptions> = {}): AuthorityOptions {
  const dir = given.dir ?? folder();
  return { keyType: 'ecdsa-p256', organisation: 'Example Ltd', now: Date.now, own: null, ...given, dir };
}

export const target = (host: string, kind: HostKind = 'name', port = 443): Target => ({
  host: host as Hostname,
  kind,
  port,
});

export interface Ran {
  readonly status: number | null;
  readonly output: string;
}

function run(command: string, args: readonly string[], input = ''): Ran {
  const { status, stdout, stderr } = spawnSync(command, args, { input, encoding: 'utf8', timeout: 20_000 });
  return { status, output: `${stdout}${stderr}` };
}

export const openssl = (args: readonly string[], input?: string): Ran => run('openssl', args, input);

const works = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

export const hasOpenssl = works('openssl', 'version');
export const hasPython = works('python3', '-c', 'import ssl');
if (!hasOpenssl) console.warn('openssl is not installed: the tests that ask it are skipped');
if (!hasPython) console.warn('python3 is not installed: the tests that ask it are skipped');

const authorityExtensions = `basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
`;

/** A CA as companies have it, made by OpenSSL: RSA, below a root on P-384, both in one file, the root first. */
export function issuingBelowRoot(dir: string): NonNullable<AuthorityOptions['own']> {
  const at = (name: string): string => join(dir, name);
  writeFileSync(at('extensions'), authorityExtensions);
  const commands = [
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -subj /O=Own/CN=Root -days 30' +
      ` -addext keyUsage=critical,keyCertSign -keyout ${at('root.key')} -out ${at('root.pem')}`,
    `req -new -newkey rsa:2048 -nodes -subj /O=Own/CN=Issuing -keyout ${at('own.key')} -out ${at('own.csr')}`,
    `x509 -req -in ${at('own.csr')} -CA ${at('root.pem')} -CAkey ${at('root.key')} -CAcreateserial` +
      ` -extfile ${at('extensions')} -days 20 -out ${at('own.pem')}`,
  ];
  for (const command of commands) {
    const { status, output } = openssl(command.split(' '));
    if (status !== 0) throw new Error(output);
  }
  const [root, issuing] = ['root.pem', 'own.pem'].map((name) => readFileSync(at(name), 'utf8'));
  writeFileSync(at('bundle.pem'), `# root first, against the custom\n${root ?? ''}\n${issuing ?? ''}`);
  chmodSync(at('own.key'), 0o600);
  return { certFile: at('bundle.pem'), keyFile: at('own.key'), passphraseFile: null };
}
