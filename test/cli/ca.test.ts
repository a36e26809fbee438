import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { authorityCertificate, generateKey } from '../../src/certificates/x509.ts';
import { ca } from '../../src/cli/ca.ts';
import { UsageError } from '../../src/cli/verb.ts';
import { ConfigError } from '../../src/errors.ts';
import { goodVendor } from '../config/folder.ts';

const day = 86_400_000;

const files: Readonly<Record<string, string>> = {
  'config/policy.yaml': 'rules:\n  - id: ban\n    vendors: acme\n    effect: deny\n    reason: Because.\n',
  'config/vendors/acme.yaml': goodVendor,
};

/** A working directory with a configuration whose CA is in `certs`, and the verb bound to it. */
function office(certificates = 'organisation: Example Ltd') {
  const cwd = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const settings = `certificates:\n  dir: ../certs\n  ${certificates.replaceAll('CWD', cwd)}\n`;
  for (const [name, content] of Object.entries({ ...files, 'config/sallyport.yaml': settings })) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), content);
  }
  const run = async (...args: string[]) => {
    const out: string[] = [];
    const err: string[] = [];
    const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line), env: {}, cwd };
    const code = await ca.run(args, io);
    return { code, out: out.join('\n'), err: err.join('\n') };
  };
  return { cwd, run };
}

test.each([[['show']], [['export']], [['show', '--json']]])(
  'before the first run, %j says no and makes nothing',
  async (args) => {
    const { cwd, run } = office();
    const { code, out, err } = await run(...args);
    expect(code).toBe(1);
    expect(out).toBe(args.includes('--json') ? 'null' : '');
    expect(err).toBe(`${join(cwd, 'certs')}: there is no certificate authority yet: run "sallyport ca init"`);
    expect(existsSync(join(cwd, 'certs'))).toBe(false);
  },
);

test('init makes a CA once, and says what is there from then on', async () => {
  const { cwd, run } = office();
  const first = await run('init');
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(first.out).toMatch(/^made a certificate authority\nsubject {6}O=Example Ltd, CN=Example Ltd Sallyport CA/);
  const certificate = readFileSync(join(cwd, 'certs/ca.pem'), 'utf8');
  const second = await run('init');
  expect(second).toMatchObject({ code: 0, err: '' });
  expect(second.out).toMatch(/^there is a certificate authority already; nothing was changed\n/);
  expect(readFileSync(join(cwd, 'certs/ca.pem'), 'utf8')).toBe(certificate);
  expect(readdirSync(join(cwd, 'certs')).sort()).toEqual(['ca.key', 'ca.pem']);
});

describe('show', () => {
  test('prints what a person compares with the device', async () => {
    const { cwd, run } = office();
    await run('init');
    const certificate = new X509Certificate(readFileSync(join(cwd, 'certs/ca.pem')));
    const { code, out } = await run();
    expect(code).toBe(0);
    expect(out).toContain(certificate.fingerprint256);
    expect(out).toMatch(/^valid {8}\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d, 182[56] days left$/m);
    expect(out).toContain(join(cwd, 'certs/ca.key'));
    expect(out).not.toContain('PRIVATE');
  });

  test('gives the same as JSON', async () => {
    const { cwd, run } = office();
    await run('init');
    const certificate = new X509Certificate(readFileSync(join(cwd, 'certs/ca.pem')));
    const { code, out } = await run('show', '--json');
    expect(code).toBe(0);
    const subject = certificate.subject.replace('\n', ', ');
    expect(JSON.parse(out)).toMatchObject({
      source: 'found',
      subject,
      fingerprint: certificate.fingerprint256,
      anchor: { subject, fingerprint: certificate.fingerprint256 },
      notBefore: new Date(certificate.validFrom).toISOString(),
      notAfter: new Date(certificate.validTo).toISOString(),
      valid: true,
      fault: null,
      certificateFile: join(cwd, 'certs/ca.pem'),
      keyFile: join(cwd, 'certs/ca.key'),
    });
  });

  test('shows an expired CA, and says no', async () => {
    const { cwd, run } = office('authority: { cert_file: CWD/own.pem, key_file: CWD/own.key }');
    const key = await generateKey('ecdsa-p256');
    writeFileSync(join(cwd, 'own.key'), key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    writeFileSync(join(cwd, 'own.pem'), authorityCertificate(key, 'Own', Date.now() - 2000 * day));
    const { code, out, err } = await run('show');
    expect(code).toBe(1);
    expect(out).toMatch(/-17[45] days left/);
    expect(err).toMatch(/own\.pem: the CA expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC: supply a valid one$/);
    expect((await run('init')).code).toBe(1);
    rmSync(join(cwd, 'own.key'));
    await expect(run('show')).rejects.toBeInstanceOf(ConfigError);
  });
});

describe('export', () => {
  test('prints the certificate that devices have to trust, and never the key', async () => {
    const { cwd, run } = office();
    await run('init');
    const { code, out } = await run('export');
    expect(code).toBe(0);
    expect(`${out}\n`).toBe(readFileSync(join(cwd, 'certs/ca.pem'), 'utf8'));
    expect(new X509Certificate(out).ca).toBe(true);
  });

  test('writes a file, and replaces one only by force', async () => {
    const { cwd, run } = office();
    await run('init');
    const certificate = readFileSync(join(cwd, 'certs/ca.pem'), 'utf8');
    expect((await run('export', '--out', 'corp.pem')).code).toBe(0);
    expect(readFileSync(join(cwd, 'corp.pem'), 'utf8')).toBe(certificate);
    writeFileSync(join(cwd, 'corp.pem'), 'mine');
    const refused = await run('export', '--out', 'corp.pem');
    expect(refused).toMatchObject({
      code: 1,
      err: `${join(cwd, 'corp.pem')}: the file exists already: add --force to replace it`,
    });
    expect(readFileSync(join(cwd, 'corp.pem'), 'utf8')).toBe('mine');
    expect((await run('export', '--out', 'corp.pem', '--force')).code).toBe(0);
    expect(readFileSync(join(cwd, 'corp.pem'), 'utf8')).toBe(certificate);
    expect((await run('export', '--out', 'no/such/dir.pem')).err).toMatch(/cannot be written \(ENOENT\)$/);
  });
});

test.each([
  [['sign'], /"sign" is not show, export or init/],
  [['toString'], /"toString" is not show, export or init/],
  [['show', 'me'], /"show me" is not/],
  [['show', '--out', 'x'], /--out and --force belong to "ca export"/],
  [['export', '--json'], /--json is for the other actions/],
  [['--frobnicate'], /frobnicate/],
])('%j is a wrong use', async (args, message) => {
  const { run } = office();
  const refused = run(...args);
  await expect(refused).rejects.toBeInstanceOf(UsageError);
  await expect(refused).rejects.toThrow(message);
});

test('needs no policy', async () => {
  const { cwd, run } = office();
  writeFileSync(join(cwd, 'config/policy.yaml'), 'rules: [\n');
  expect(await run('init')).toMatchObject({ code: 0, err: '' });
  expect(await run('show')).toMatchObject({ code: 0, err: '' });
});
