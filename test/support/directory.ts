/** A real directory server (OpenLDAP's slapd) with a few people in it, and TLS by a certificate of its own. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makeCertificate } from './certificate.ts';

/** Debian has it where ordinary users do not look for programs. */
const slapd = ['/usr/sbin/slapd', '/usr/lib/openldap/slapd', '/usr/libexec/slapd'].find(existsSync);

/** Whether there is one; else says loudly what is not checked. */
export function slapdIsThere(unchecked: string): boolean {
  if (slapd !== undefined) return true;
  console.warn(`\n*** NOT CHECKED: ${unchecked}. It needs slapd; install the package "slapd". ***\n`);
  return false;
}

export const suffix = 'dc=corp,dc=test';
export const people = `ou=people,${suffix}`;
export const reader = { dn: `cn=reader,${suffix}`, password: 'reader-secret' };

function person(uid: string, more = ''): string {
  const classes = 'objectClass: inetOrgPerson\n';
  return `dn: uid=${uid},${people}\n${classes}uid: ${uid}\ncn: ${uid}\nsn: ${uid}\nuserPassword: ${uid}-secret\n${more}\n`;
}

const entries = `dn: ${suffix}
objectClass: dcObject
objectClass: organization
dc: corp
o: corp

dn: ${people}
objectClass: organizationalUnit
ou: people

dn: ${reader.dn}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: reader
userPassword: ${reader.password}

${person('Ada', `mail: ada@corp.test\nmemberOf: cn=Chip Design,ou=groups,${suffix}\nmemberOf: cn=Tea\\2C green,ou=groups,${suffix}\n`)}
${person('bob', 'mail: shared@corp.test\n')}
${person('cid', 'mail: shared@corp.test\n')}
dn: uid=eve\\2Cou\\3Dpeople,${people}
objectClass: inetOrgPerson
uid: eve,ou=people
cn: eve
sn: eve
userPassword: eve-secret
`;

export interface TestDirectory {
  /** `ldaps://127.0.0.1:port`. */
  readonly url: string;
  /** `ldap://127.0.0.1:port`, which knows STARTTLS. */
  readonly plainUrl: string;
  readonly caFile: string;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const there = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return there;
}

/** There until the test ends. */
export async function startDirectory(): Promise<TestDirectory> {
  const dir = mkdtempSync(join(tmpdir(), 'directory-'));
  const certificate = makeCertificate('127.0.0.1', 'directory.test');
  const at = (name: string): string => join(dir, name);
  mkdirSync(at('db'));
  const schemas = ['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`);
  const lines = [
    ...schemas,
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    'moduleload memberof',
    `TLSCertificateFile ${certificate.file}`,
    `TLSCertificateKeyFile ${certificate.file.replace('cert.pem', 'key.pem')}`,
    'database mdb',
    `suffix ${suffix}`,
    `directory ${at('db')}`,
    'maxsize 10485760',
    // What our own refusal of empty passwords is for: some servers take them for a bind as nobody.
    'allow bind_anon_cred bind_anon_dn',
    `access to attrs=userPassword by anonymous auth`,
    `access to * by dn.exact="${reader.dn}" read by anonymous none`,
  ];
  // Global lines come before the first database.
  const database = lines.findIndex((line) => line.startsWith('database'));
  const allow = lines.findIndex((line) => line.startsWith('allow'));
  lines.splice(database, 0, ...lines.splice(allow, 1));
  writeFileSync(at('slapd.conf'), `${lines.join('\n')}\n`);
  writeFileSync(at('entries.ldif'), entries);
  execFileSync('/usr/sbin/slapadd', ['-f', at('slapd.conf'), '-l', at('entries.ldif')], { stdio: 'pipe' });

  const [tls, plain] = [await freePort(), await freePort()];
  const [url, plainUrl] = [`ldaps://127.0.0.1:${tls}`, `ldap://127.0.0.1:${plain}`];
  let stop = (): Promise<void> => Promise.resolve();
  const start = async (): Promise<void> => {
    const child = spawn(slapd ?? '', ['-f', at('slapd.conf'), '-h', `${url} ${plainUrl}`, '-d', '0'], {
      stdio: 'ignore',
    });
    const gone = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
    stop = () => {
      child.kill('SIGKILL');
      return gone;
    };
    while (!(await answers(tls)) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  onTestFinished(async () => {
    await stop();
    certificate.remove();
    rmSync(dir, { recursive: true, force: true });
  });
  await start();
  return { url, plainUrl, caFile: certificate.file, stop: () => stop(), start };
}
