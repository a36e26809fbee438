/** Checks which trust stores of the machine have the proxy's CA, and says how to add it to the others. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundles, certificatesIn } from '../../certificates/roots.ts';
import { bad, good, skipped, warning, type Finding } from './finding.ts';

export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  /** Standard output, or null if the program is missing or fails. */
  readonly run: (program: string, ...args: readonly string[]) => Promise<string | null>;
}

export function runProgram(program: string, ...args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 10_000, maxBuffer: 16 * 1024 * 1024 }, (error, stdout) =>
      resolve(error === null ? stdout : null),
    );
  });
}

function holds(pem: string, ca: X509Certificate): boolean {
  return certificatesIn(pem).some((block) => {
    try {
      return new X509Certificate(block).fingerprint256 === ca.fingerprint256;
    } catch {
      return false;
    }
  });
}

/** Whether a file that can be read has no other certificate. */
function isAlone(file: string): boolean {
  return certificatesIn(readFileSync(file, 'utf8')).length === 1;
}

function fileHolds(file: string, ca: X509Certificate): boolean {
  try {
    return holds(readFileSync(file, 'utf8'), ca);
  } catch {
    return false;
  }
}

interface Look {
  readonly machine: Machine;
  readonly ca: X509Certificate;
  /** Whether the system's store has it; null: unknown. */
  readonly system: boolean | null;
}

async function systemStore({ platform, run }: Machine, ca: X509Certificate): Promise<boolean | null> {
  if (platform === 'darwin') {
    const keychains = [
      '/Library/Keychains/System.keychain',
      `/System/Library/Keychains/SystemRootCertificates.keychain`,
    ];
    const found = await run('security', 'find-certificate', '-a', '-p', ...keychains);
    return found === null ? null : holds(found, ca);
  }
  if (platform === 'win32') {
    const found = await run('certutil', '-store', 'Root');
    return found === null ? null : found.replaceAll(/[\s:]/g, '').toUpperCase().includes(thumbprint(ca));
  }
  const bundle = bundles.find((file) => existsSync(file));
  return bundle === undefined ? null : fileHolds(bundle, ca);
}

/** SHA-1, by which Windows identifies certificates. */
function thumbprint({ fingerprint }: X509Certificate): string {
  return fingerprint.replaceAll(':', '').toUpperCase();
}

const install: Partial<Record<NodeJS.Platform, string>> = {
  linux:
    'copy it to /usr/local/share/ca-certificates/NAME.crt and run "update-ca-certificates" (Debian), or see the home page',
  darwin: 'sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain sallyport-ca.pem',
  win32: 'certutil -addstore -f Root sallyport-ca.crt, as administrator, or by group policy',
};

function systemFinding({ machine, system }: Look): Finding {
  const check = 'trust: system';
  if (system === null) return skipped(check, 'the trust store of this system cannot be read from here');
  if (system) return good(check, 'curl, wget, Go, .NET and most programs trust the CA');
  return bad(check, 'the CA is not in the trust store of the system', install[machine.platform] ?? 'see the home page');
}

interface ByVariable {
  readonly check: string;
  readonly variables: readonly string[];
  /** Whether the program trusts the CA if none of the variables is set; null: unknown. */
  readonly otherwise: boolean | null;
  /** Whether the file takes the place of the public authorities, rather than being added to them. */
  readonly replaces: boolean;
}

const systemBundle: Partial<Record<NodeJS.Platform, string>> = {
  linux: ', such as /etc/ssl/certs/ca-certificates.crt after "update-ca-certificates"',
};

/** What a file must hold that takes the place of the public authorities. */
function publicAnd(platform: NodeJS.Platform): string {
  return `a file with the public authorities and the CA${systemBundle[platform] ?? ''}`;
}

interface ByFile extends Pick<ByVariable, 'check' | 'replaces'> {
  /** The variable, or the key of a program's configuration, that names the file. */
  readonly setting: string;
  readonly file: string;
}

function byFile({ machine, ca }: Look, { check, setting, file, replaces }: ByFile): Finding {
  const names = `${setting} names ${file}, which`;
  if (!fileHolds(file, ca)) return bad(check, `${names} does not have the CA`, 'add the CA to that file');
  if (!replaces || !isAlone(file)) return good(check, `${names} has the CA`);
  const what = `${names} has only the CA: no public site would be trusted`;
  return bad(check, what, `set ${setting} to ${publicAnd(machine.platform)}`);
}

/** A program that reads a file named by a variable, and otherwise a store of its own. */
function byVariable(look: Look, { check, variables, otherwise, replaces }: ByVariable): Finding {
  const { env, platform } = look.machine;
  const variable = variables.find((name) => (env[name] ?? '') !== '');
  if (variable !== undefined) return byFile(look, { check, setting: variable, file: env[variable] ?? '', replaces });
  if (otherwise === true) return good(check, 'uses the trust store of the system, which has the CA');
  if (otherwise === null) return skipped(check, 'unknown');
  const holding = replaces ? publicAnd(platform) : 'the file with the CA';
  const cure = `set ${variables[0] ?? ''} to ${holding}, for every user of this machine`;
  return bad(check, 'does not trust the CA', cure);
}

async function node(look: Look): Promise<Finding | null> {
  const { env, run } = look.machine;
  if ((await run('node', '--version')) === null) return null;
  const check = 'trust: Node.js';
  const flags = env['NODE_OPTIONS'] ?? '';
  const usesSystem = /--use-(?:system|openssl)-ca/.test(flags) || env['NODE_USE_SYSTEM_CA'] === '1';
  const otherwise = usesSystem ? look.system : false;
  return byVariable(look, { check, variables: ['NODE_EXTRA_CA_CERTS'], otherwise, replaces: false });
}

async function python(look: Look): Promise<Finding | null> {
  const where = await look.machine.run(
    'python3',
    '-c',
    'import importlib.util as u; print(__import__("certifi").where() if u.find_spec("certifi") else "")',
  );
  if (where === null) return null;
  const otherwise = where.trim() === '' ? look.system : fileHolds(where.trim(), look.ca);
  const variables = ['REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE'];
  return byVariable(look, { check: 'trust: Python', variables, otherwise, replaces: true });
}

async function git(look: Look): Promise<Finding | null> {
  if ((await look.machine.run('git', '--version')) === null) return null;
  const check = 'trust: git';
  const setting = 'http.sslCAInfo';
  const file = ((await look.machine.run('git', 'config', '--get', setting)) ?? '').trim();
  if (file === '' || look.machine.env['GIT_SSL_CAINFO'] !== undefined)
    return byVariable(look, { check, variables: ['GIT_SSL_CAINFO'], otherwise: look.system, replaces: true });
  return byFile(look, { check, setting, file, replaces: true });
}

/** npm trusts what Node.js does, unless its configuration names a file. */
async function npm(look: Look): Promise<Finding | null> {
  const file = ((await look.machine.run('npm', 'config', 'get', 'cafile')) ?? '').trim();
  if (file === '' || file === 'null' || file === 'undefined') return null;
  return byFile(look, { check: 'trust: npm', setting: 'cafile', file, replaces: true });
}

/** pip trusts what Python or the system does, unless its configuration names a file. */
async function pip(look: Look): Promise<Finding | null> {
  const { env, run } = look.machine;
  const named = env['PIP_CERT'] ?? '';
  const setting = named === '' ? 'global.cert' : 'PIP_CERT';
  const file = named === '' ? ((await run('pip', 'config', 'get', setting)) ?? '').trim() : named;
  return file === '' ? null : byFile(look, { check: 'trust: pip', setting, file, replaces: true });
}

async function java(look: Look): Promise<Finding | null> {
  const listed = await look.machine.run('keytool', '-list', '-cacerts', '-storepass', 'changeit');
  if (listed === null) return null;
  if (listed.includes(look.ca.fingerprint256)) return good('trust: Java', 'the Java cacerts store has the CA');
  const cure = 'keytool -importcert -cacerts -storepass changeit -noprompt -alias sallyport -file sallyport-ca.pem';
  return warning('trust: Java', 'the Java cacerts store does not have the CA', cure);
}

/** Chromium's store on Linux, and Firefox profiles. */
function nssStores({ home, platform }: Machine): Readonly<Record<string, string>> {
  const firefox =
    platform === 'darwin' ? join(home, 'Library/Application Support/Firefox/Profiles') : join(home, '.mozilla/firefox');
  const stores: Record<string, string> = {};
  const shared = join(home, '.pki/nssdb');
  if (platform === 'linux' && existsSync(shared)) stores['Chrome and Chromium'] = shared;
  try {
    for (const name of readdirSync(firefox).filter((name) => statSync(join(firefox, name)).isDirectory())) {
      if (existsSync(join(firefox, name, 'cert9.db'))) stores[`Firefox (${name})`] = join(firefox, name);
    }
  } catch {
    // No Firefox here.
  }
  return stores;
}

async function nss(look: Look): Promise<Finding[]> {
  const { run } = look.machine;
  return Promise.all(
    Object.entries(nssStores(look.machine)).map(async ([name, dir]) => {
      const check = `trust: ${name}`;
      const cure = `certutil -d sql:${dir} -A -t C,, -n sallyport -i sallyport-ca.pem`;
      const listed = await run('certutil', '-L', '-d', `sql:${dir}`);
      if (listed === null) return skipped(check, `${dir} cannot be read: install certutil (libnss3-tools)`);
      // Nickname, then flags for TLS, mail and code; C: trusted to sign servers.
      const trusted = [...listed.matchAll(/^(.+?) +([a-zA-Z]*C[a-zA-Z]*),[a-zA-Z]*,[a-zA-Z]* *$/gm)];
      const pems = await Promise.all(
        trusted.map(([, nick = '']) => run('certutil', '-L', '-d', `sql:${dir}`, '-a', '-n', nick)),
      );
      if (pems.some((pem) => pem !== null && holds(pem.replaceAll('\r', ''), look.ca)))
        return good(check, `${dir} has the CA`);
      return bad(check, `${dir} does not have the CA`, cure);
    }),
  );
}

/** One finding for each program with a store of its own. */
export async function examineStores(ca: X509Certificate, machine: Machine): Promise<readonly Finding[]> {
  const look: Look = { machine, ca, system: await systemStore(machine, ca) };
  const programs = await Promise.all([node, python, git, npm, pip, java].map((of) => of(look)));
  return [systemFinding(look), ...programs.filter((found) => found !== null), ...(await nss(look))];
}
