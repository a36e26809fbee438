/** `check` and `doctor` on what a start reads beside the configuration; a start itself says the same. */
import { createPrivateKey } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openAuthority } from '../../src/certificates/authority.ts';
import { makeLeafKey } from '../../src/certificates/leaves.ts';
import { mintPortLeaf } from '../../src/certificates/port-leaf.ts';
import { ca } from '../../src/cli/ca.ts';
import { check } from '../../src/cli/check.ts';
import { doctor } from '../../src/cli/doctor.ts';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import type { Verb } from '../../src/cli/verb.ts';
import { folder, hasOpenssl, openssl, options } from '../certificates/workbench.ts';
import { makeCertificate } from '../support/certificate.ts';
import { writeConfig } from '../support/lab.ts';
import { run, serve } from '../support/product.ts';

const passphrase = 'correct horse';

/** What files of the proxy may hold, by their names in the configuration below. */
async function material(): Promise<Record<string, string>> {
  const { certFile, keyFile } = await openAuthority(options());
  const [cert, key] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')];
  const other = await openAuthority(options());
  const port = makeCertificate('proxy.test');
  port.remove();
  return {
    'ca.pem': cert,
    'ca.key': key,
    'other.key': readFileSync(other.keyFile, 'utf8'),
    'locked.key': createPrivateKey(key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
      .toString(),
    passphrase,
    wrong: 'wrong horse',
    'proxy.pem': port.cert,
    'proxy.key': port.key,
    token: 'a-token-of-22-characters',
    short: 'short',
    none: 'no certificate',
  };
}

/** A configuration that names them, each under its folder. */
async function config(settings: Readonly<Record<string, unknown>>, absent: readonly string[] = []): Promise<string> {
  const file = writeConfig({ settings });
  onTestFinished(() => rmSync(dirname(file), { recursive: true, force: true }));
  for (const [name, text] of Object.entries(await material())) {
    if (!absent.includes(name)) writeFileSync(join(dirname(file), name), text, { mode: 0o600 });
  }
  return file;
}

async function asked(verb: Verb, args: readonly string[]) {
  const said: string[] = [];
  const io = { out: (line: string) => said.push(line), err: (line: string) => said.push(line), env: {}, cwd: '.' };
  return { code: await verb.run(args, io), said };
}

const own = (cert: string, key: string, pass?: string) => ({
  certificates: { authority: { cert_file: cert, key_file: key, ...(pass !== undefined && { passphrase_file: pass }) } },
});
const tls = (cert: string, key: string) => ({
  listen: {
    ...{ proxy: '127.0.0.1:0', pages: '127.0.0.1:0', admin: '127.0.0.1:0' },
    proxy_tls: { address: '127.0.0.1:0', cert_file: cert, key_file: key },
  },
});

test.each([
  [
    'an encrypted key without its passphrase',
    own('ca.pem', 'locked.key'),
    'locked.key: the key of the CA is encrypted',
  ],
  ['a wrong passphrase', own('ca.pem', 'locked.key', 'wrong'), 'does not open the key of the CA'],
  ['certificate and key that are swapped', own('ca.key', 'ca.pem'), 'ca.key: it contains no certificate in PEM form'],
  ['the key of another CA', own('ca.pem', 'other.key'), 'no certificate in it belongs to the key in'],
  ['authorities of origins that are none', { outbound: { ca_file: 'none' } }, 'none: it contains no certificate'],
  ['a token that can be guessed', { admin: { token_file: 'short' } }, 'short: the token needs 16 or more'],
  [
    'the key of another certificate',
    tls('proxy.pem', 'ca.key'),
    'proxy.pem: certificate, key and authority do not match',
  ],
])('%s: no start, and check ends with 2 in the same words', async (_, settings, says) => {
  const file = await config(settings);
  const started = run(['serve', '-c', file]);
  expect(await started.ended).toMatchObject({ code: 2 });
  const words = started
    .stderr()
    .replace(/^sallyport: /, '')
    .trimEnd();
  expect(words).toContain(says);
  const { code, said } = await asked(check, ['-c', file]);
  expect(code).toBe(2);
  const lines = said.filter((line) => line.endsWith(words));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/sallyport\.yaml:\d+:\d+: /);
  const json = await asked(check, ['-c', file, '--json']);
  expect(JSON.parse(json.said.join('\n'))).toMatchObject({ ok: false });
});

test.each([
  ['a CA', own('ca.pem', 'ca.key')],
  ['a CA with an encrypted key', own('ca.pem', 'locked.key', 'passphrase')],
  ['a token and a port over TLS', { admin: { token_file: 'token' }, ...tls('proxy.pem', 'proxy.key') }],
  ['authorities of origins', { outbound: { ca_file: 'ca.pem' } }],
])('%s that can be used', async (_, settings) => {
  expect(await asked(check, ['-c', await config(settings), '--strict'])).toMatchObject({ code: 0 });
});

test.each([
  ['has expired', 100, 'expired at'],
  ['soon expires', 57, 'expires at'],
  ['is not valid yet', -2, 'is not valid before'],
])('a port over TLS whose certificate %s starts, and all who look at it say so in one line', async (_, age, word) => {
  const now = Date.now() - age * 86_400_000;
  const authority = await openAuthority(options({ now: () => Math.min(now, Date.now()) - 86_400_000 }));
  const host = { kind: 'name', host: 'proxy.test' } as const;
  const { cert, key } = mintPortLeaf(authority, [host], { key: makeLeafKey('ecdsa-p256'), leafDays: 60, now });
  const dir = folder();
  const [certFile, keyFile] = [join(dir, 'port.pem'), join(dir, 'port.key')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  const says = new RegExp(`port\\.pem: the certificate of the proxy port over TLS ${word} .*; `);
  const started = await serve({ settings: { ...tls(certFile, keyFile), limits: { connections: 100 } } });
  const lines = started.stderr().split('\n');
  expect(lines.filter((line) => says.test(line))).toHaveLength(1);
  const checked = await asked(check, ['-c', started.file]);
  expect(checked.code).toBe(0);
  expect(checked.said.filter((line) => says.test(line))).toHaveLength(1);
  expect((await found(started.file)).find((finding) => finding.check === 'files')).toMatchObject({ status: 'warning' });
});

test.each([
  ['a passphrase', own('ca.pem', 'locked.key', 'passphrase'), 'passphrase'],
  ['a key', own('ca.pem', 'ca.key'), 'ca.key'],
  ['a certificate', own('ca.pem', 'ca.key'), 'ca.pem'],
  ['a token', { admin: { token_file: 'token' } }, 'token'],
])('%s that is not on this machine is a warning of check', async (_, settings, absent) => {
  const { code, said } = await asked(check, ['-c', await config(settings, [absent])]);
  expect(code).toBe(0);
  expect(said.filter((line) => line.includes('warning: there is no file'))).toHaveLength(1);
});

test('what is there of a pair is looked at although the rest is elsewhere', async () => {
  const { code, said } = await asked(check, ['-c', await config(own('ca.pem', 'none'), ['ca.pem'])]);
  expect(code).toBe(2);
  expect(said.join('\n')).toContain('none: this is not a readable private key in PEM');
});

test('a CA of the proxy itself that has ended', async () => {
  const dir = folder();
  await openAuthority(options({ dir, now: () => Date.now() - 6 * 365 * 86_400_000 })).catch(() => undefined);
  const { code, said } = await asked(check, ['-c', await config({ certificates: { dir } })]);
  expect(code).toBe(2);
  expect(said.join('\n')).toContain('ca.pem: the CA expired on ');
});

test.skipIf(!hasOpenssl)(
  'a CA that strict clients refuse starts, and all who look at it say so in one line',
  async () => {
    const dir = folder();
    const [certFile, keyFile] = [join(dir, 'ca.pem'), join(dir, 'ca.key')];
    const command = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Old -days 200 -keyout ${keyFile} -out ${certFile}`;
    expect(openssl([...command.split(' '), '-addext', 'basicConstraints=critical,CA:TRUE'])).toMatchObject({
      status: 0,
    });
    chmodSync(keyFile, 0o600);
    const says = `${certFile}: strict clients, such as Python 3.13, refuse CN=Old: it has no keyUsage`;
    const cure =
      'make it again with basicConstraints=critical,CA:TRUE, keyUsage=critical,keyCertSign and both key identifiers';
    const started = await serve({ settings: { ...own(certFile, keyFile), limits: { connections: 100 } } });
    expect(started.stderr()).toBe(`sallyport: ${says}; ${cure}\n`);
    const checked = await asked(check, ['-c', started.file]);
    expect(checked.code).toBe(0);
    expect(checked.said.filter((line) => line.endsWith(`warning: ${says}; ${cure}`))).toHaveLength(1);
    expect((await asked(check, ['-c', started.file, '--strict'])).code).toBe(1);
    expect((await found(started.file)).find((finding) => finding.check === 'CA')).toMatchObject({
      status: 'warning',
      says,
      cure,
    });
    const shown = await asked(ca, ['show', '-c', started.file]);
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.said).toContain(`warning: ${says}; ${cure}`);
  },
);

async function found(file: string): Promise<readonly Finding[]> {
  const { said } = await asked(doctor, ['-c', file, '--json']);
  return (JSON.parse(said.join('\n')) as { findings: Finding[] }).findings;
}

test('on the machine of the proxy doctor says of each whether a start can use it', async () => {
  const ports = { admin: { token_file: 'token' }, ...tls('proxy.pem', 'proxy.key') };
  const good = (await found(await config(ports))).find((finding) => finding.check === 'files');
  expect(good).toMatchObject({
    status: 'good',
    says: 'admin.token_file and listen.proxy_tls can be used',
  });
  const bad = (await found(await config(ports, ['token', 'proxy.key']))).filter((finding) => finding.check === 'files');
  expect(bad.map(({ status, says }) => `${status} ${says.replace(/^.*\//, '')}`)).toEqual([
    'bad token: the token of the admin port cannot be read (ENOENT); create it, or correct the path or its owner',
    'bad proxy.key: cannot be read (ENOENT); correct listen.proxy_tls.key_file',
  ]);
  const swapped = (await found(await config(own('ca.key', 'ca.pem')))).find((finding) => finding.check === 'CA');
  expect(swapped).toMatchObject({ status: 'bad', says: expect.stringContaining('no certificate in PEM') as string });
  const gone = (await found(await config(own('ca.pem', 'ca.key'), ['ca.pem']))).find(({ check: of }) => of === 'CA');
  expect(gone).toMatchObject({ status: 'bad', says: expect.stringContaining('is missing') as string });
});

test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
  'what this account may not read says nothing of the proxy',
  async () => {
    const file = await config(own('ca.pem', 'locked.key'));
    chmodSync(join(dirname(file), 'locked.key'), 0);
    expect((await asked(check, ['-c', file])).code).toBe(0);
  },
);
