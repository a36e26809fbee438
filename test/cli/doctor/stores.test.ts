import { X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { examineStores, runProgram, type Machine } from '../../../src/cli/doctor/stores.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { certificateOfTest } from '../../support/origins.ts';

const own = certificateText('own.test');
const other = certificateText('other.test');
const ca = new X509Certificate(own);

function certificateText(name: string): string {
  const certificate = makeCertificate(name);
  certificate.remove();
  return certificate.cert;
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'stores-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

function fileWith(...texts: readonly string[]): string {
  const file = join(folder(), 'bundle.pem');
  writeFileSync(file, texts.join('\n'));
  return file;
}

/** A machine where only the named programs are, and say that. */
function machine(given: Partial<Machine> & { readonly programs?: Readonly<Record<string, string>> } = {}): Machine {
  const { programs = {} } = given;
  return {
    env: {},
    home: '/does/not/exist',
    platform: 'darwin',
    run: (program, ...args) => {
      const said = Object.entries(programs).find(([start]) => [program, ...args].join(' ').startsWith(start));
      return Promise.resolve(said?.[1] ?? null);
    },
    ...given,
  };
}

async function statuses(one: Machine): Promise<Readonly<Record<string, string>>> {
  const findings = await examineStores(ca, one);
  return Object.fromEntries(findings.map(({ check, status }) => [check.replace('trust: ', ''), status]));
}

describe('the store of the system', () => {
  test.each<[NodeJS.Platform, Readonly<Record<string, string>>, string]>([
    ['darwin', { security: own }, 'good'],
    ['darwin', { security: `${other}\n${own}` }, 'good'],
    ['darwin', { security: other }, 'bad'],
    ['darwin', {}, 'skipped'],
    ['win32', { certutil: `Cert Hash(sha1): ${ca.fingerprint.replaceAll(':', '').toLowerCase()}` }, 'good'],
    ['win32', { certutil: 'Cert Hash(sha1): 00' }, 'bad'],
    ['win32', {}, 'skipped'],
  ])('of %s, %j: %s', async (platform, programs, status) => {
    expect(await statuses(machine({ platform, programs }))).toEqual({ system: status });
  });
});

const versions = { 'node --version': 'v24', 'python3 -c': '\n', 'git --version': 'git 2' };

test('programs without a word of their own read the system, but Node.js, which asks for a flag', async () => {
  const programs = { ...versions, security: own };
  expect(await statuses(machine({ programs }))).toEqual({
    system: 'good',
    'Node.js': 'bad',
    Python: 'good',
    git: 'good',
  });
  const env = { NODE_OPTIONS: '--use-system-ca' };
  expect(await statuses(machine({ programs, env }))).toMatchObject({ 'Node.js': 'good' });
});

test('variables that name a file go before the system', async () => {
  const programs = { ...versions, security: other };
  const named = (file: string) => ({ NODE_EXTRA_CA_CERTS: file, REQUESTS_CA_BUNDLE: file, GIT_SSL_CAINFO: file });
  const good = await statuses(machine({ programs, env: named(fileWith(other, own)) }));
  expect(good).toEqual({ system: 'bad', 'Node.js': 'good', Python: 'good', git: 'good' });
  for (const file of [fileWith(other), fileWith('nothing'), '/does/not/exist']) {
    const bad = await statuses(machine({ programs, env: named(file) }));
    expect(bad).toEqual({ system: 'bad', 'Node.js': 'bad', Python: 'bad', git: 'bad' });
  }
});

test('a file with nothing but the CA is bad where it takes the place of the public authorities, and the cure says so', async () => {
  const file = fileWith(own);
  const env = { NODE_EXTRA_CA_CERTS: file, REQUESTS_CA_BUNDLE: file, GIT_SSL_CAINFO: file };
  const programs = { ...versions, security: own };
  expect(await statuses(machine({ programs, env }))).toEqual({
    system: 'good',
    'Node.js': 'good',
    Python: 'bad',
    git: 'bad',
  });
  for (const { check, cure } of await examineStores(ca, machine({ programs, env })))
    if (/Python|git/.test(check)) expect(cure).toContain('a file with the public authorities and the CA');
});

test('what certifi and the configuration of git name is read', async () => {
  const programs = { ...versions, security: other, 'python3 -c': `${fileWith(own)}\n` };
  const git = { 'git config --get http.sslCAInfo': `${fileWith(other, own)}\n` };
  expect(await statuses(machine({ programs: { ...git, ...programs } }))).toMatchObject({ Python: 'good', git: 'good' });
});

test.each([
  ['npm config get cafile', 'npm', 'cafile'],
  ['pip config get global.cert', 'pip', 'global.cert'],
  ['git config --get http.sslCAInfo', 'git', 'http.sslCAInfo'],
])('the file that "%s" prints takes the place of the public authorities', async (asks, program, setting) => {
  const look = async (...texts: readonly string[]) => {
    const programs = { 'git --version': 'git 2', security: own, [asks]: `${fileWith(...texts)}\n` };
    const findings = await examineStores(ca, machine({ programs }));
    return findings.find(({ check }) => check === `trust: ${program}`);
  };
  expect(await look(other, own)).toMatchObject({ status: 'good' });
  expect(await look(other)).toMatchObject({ status: 'bad', cure: 'add the CA to that file' });
  expect(await look(own)).toMatchObject({
    status: 'bad',
    cure: `set ${setting} to a file with the public authorities and the CA`,
  });
});

test('npm and pip are passed over where they name no file, and PIP_CERT goes before what pip prints', async () => {
  const programs = { security: own, 'npm config get cafile': 'null\n', 'pip config get global.cert': fileWith(own) };
  expect(await statuses(machine({ programs: { security: own, 'npm config get cafile': 'null\n' } }))).toEqual({
    system: 'good',
  });
  const env = { PIP_CERT: fileWith(other, own) };
  expect(await statuses(machine({ programs, env }))).toEqual({ system: 'good', pip: 'good' });
});

test.each([
  [ca.fingerprint256, 'good'],
  ['00:11', 'warning'],
])('Java that lists %s: %s', async (listed, status) => {
  expect(await statuses(machine({ programs: { keytool: `SHA-256: ${listed}` } }))).toMatchObject({ Java: status });
});

test('a cure is a command or an instruction, and every bad store has one', async () => {
  for (const { status, cure } of await examineStores(ca, machine({ programs: { ...versions, security: other } }))) {
    expect(cure === null).toBe(status === 'good' || status === 'skipped');
  }
});

const certutil = ((): boolean => {
  try {
    execFileSync('certutil', ['-H'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
})();
if (!certutil) console.warn('\n*** NOT CHECKED: the stores of browsers. Install certutil (libnss3-tools). ***\n');

test.runIf(certutil)(
  "the stores of Chromium and Firefox count the CA only where it may sign servers' names",
  async () => {
    const home = folder();
    const profile = join(home, '.mozilla/firefox/abc.default');
    const shared = join(home, '.pki/nssdb');
    const { file } = certificateOfTest('unused.test');
    writeFileSync(file, own);
    for (const dir of [profile, shared]) {
      mkdirSync(dir, { recursive: true });
      execFileSync('certutil', ['-N', '--empty-password', '-d', `sql:${dir}`], { stdio: 'pipe' });
    }
    const look = () => statuses(machine({ home, platform: 'linux', run: runProgram }));
    const add = (dir: string, flags: string): void => {
      execFileSync('certutil', ['-A', '-d', `sql:${dir}`, '-t', flags, '-n', 'our CA', '-i', file], { stdio: 'pipe' });
    };
    expect(await look()).toMatchObject({ 'Chrome and Chromium': 'bad', 'Firefox (abc.default)': 'bad' });
    add(shared, 'C,,');
    add(profile, ',,');
    expect(await look()).toMatchObject({ 'Chrome and Chromium': 'good', 'Firefox (abc.default)': 'bad' });
  },
);
