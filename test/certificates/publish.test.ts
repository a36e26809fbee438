import { X509Certificate, createPrivateKey } from 'node:crypto';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openAuthority } from '../../src/certificates/authority.ts';
import { publish } from '../../src/certificates/publish.ts';
import { compileAuthority } from './compiled.ts';
import { folder, options } from './workbench.ts';

test('the first one wins, and what was there stays', async () => {
  const file = join(folder(), 'a', 'b', 'file');
  await Promise.all(['one', 'two', 'three'].map((content) => publish(file, content.repeat(10_000), 0o600)));
  const won = readFileSync(file, 'utf8');
  expect(['one', 'two', 'three'].map((content) => content.repeat(10_000))).toContain(won);
  await publish(file, 'four', 0o600);
  expect(readFileSync(file, 'utf8')).toBe(won);
  expect(readdirSync(join(file, '..'))).toEqual(['file']);
});

test.skipIf(process.platform !== 'linux')(
  'a folder that the system lets nobody make is one line, at once',
  async () => {
    await expect(publish('/proc/certs/ca.key', 'key', 0o600)).rejects.toThrow(
      /^\/proc\/certs\/ca\.key: it cannot be written \(\w+\): give the account that the proxy runs as write access to its folder$/,
    );
  },
);

test('a file in the place of a folder is said', async () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  await expect(publish(join(file, 'certs', 'ca.key'), 'key', 0o600)).rejects.toThrow(/cannot be written \(ENOTDIR\)/);
  await expect(publish(join(file, 'ca.key'), 'key', 0o600)).rejects.toThrow(/cannot be written \(ENOTDIR\)/);
});

test('clears away what killed processes left, and nothing that may be in use', async () => {
  const given = options();
  const old = ['ca.key.0123456789ab.tmp', 'ca.pem.ba9876543210.tmp'].map((name) => join(given.dir, name));
  const fresh = join(given.dir, 'ca.key.aaaaaaaaaaaa.tmp');
  const other = join(given.dir, 'notes.0123456789ab.tmp');
  for (const file of [...old, fresh, other]) writeFileSync(file, 'half a k');
  for (const file of [...old, other]) utimesSync(file, new Date(0), new Date(0));
  await openAuthority(given);
  expect(old.filter((file) => existsSync(file))).toEqual([]);
  expect(existsSync(fresh)).toBe(true);
  expect(existsSync(other)).toBe(true);
});

test('first starts at the same moment end with one pair that all of them use', async () => {
  const home = folder();
  const module = compileAuthority(home);
  const dir = join(home, 'certs');
  const script = `
    const { openAuthority } = await import(${JSON.stringify(module)});
    process.stdout.write('ready\\n');
    await new Promise((go) => process.stdin.once('data', go));
    const given = { dir: ${JSON.stringify(dir)}, keyType: 'ecdsa-p256', organisation: 'X', now: Date.now, own: null };
    const { fingerprint, key } = await openAuthority(given);
    console.log(fingerprint, key.export({ type: 'pkcs8', format: 'der' }).toString('hex'));
    process.exit(0);`;
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  await Promise.all(children.map((child) => new Promise((ready) => child.stdout.once('readable', ready))));
  for (const child of children) child.stdin.write('go');
  const said = await Promise.all(children.map((child) => text(child.stdout)));
  const results = new Set(said.map((lines) => lines.replace('ready\n', '').trim()));
  const certificate = new X509Certificate(readFileSync(join(dir, 'ca.pem')));
  const key = createPrivateKey(readFileSync(join(dir, 'ca.key')));
  const der = key.export({ type: 'pkcs8', format: 'der' }).toString('hex');
  expect([...results]).toEqual([`${certificate.fingerprint256} ${der}`]);
  expect(certificate.checkPrivateKey(key)).toBe(true);
  expect(readdirSync(dir).sort()).toEqual(['ca.key', 'ca.pem']);
});
