import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readCertificates, readGuarded } from '../src/certificates/key-files.ts';
import { trustedRoots } from '../src/certificates/roots.ts';
import { readPasswords } from '../src/config/password-file.ts';
import { readList } from '../src/config/read-list.ts';
import { readWhole } from '../src/read-whole.ts';
import { readYaml } from '../src/config/yaml.ts';

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-whole-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

function pipe(): string {
  const file = join(folder(), 'pipe');
  execFileSync('mkfifo', [file]);
  return file;
}

test('a file is read, also behind a link', () => {
  const file = join(folder(), 'file');
  writeFileSync(file, 'text');
  symlinkSync(file, `${file}.link`);
  expect(readWhole(`${file}.link`).toString()).toBe('text');
});

test.each([
  ['a pipe that nobody writes to', pipe, 'it is a pipe or a device'],
  ['a device without end', () => '/dev/zero', 'it is a pipe or a device'],
  ['a folder', folder, 'EISDIR'],
  ['nothing', () => '/nowhere/at/all', 'ENOENT'],
])('%s is an error at once', (_what, make, code) => {
  const file = make();
  expect(() => readWhole(file)).toThrow(expect.objectContaining({ code }));
});

test('a file that is larger than any of ours is not read', () => {
  const file = join(folder(), 'large');
  writeFileSync(file, '');
  truncateSync(file, 300 * 1024 * 1024);
  expect(() => readWhole(file)).toThrow(expect.objectContaining({ code: 'it has more than 268435456 bytes' }));
});

test('a shell may hand over what a command says', () => {
  const fd = openSync(import.meta.filename, 'r');
  onTestFinished(() => closeSync(fd));
  expect(readWhole(`/proc/self/fd/${fd}`).toString()).toContain('a shell may hand over');
});

test('settings, passwords and lists that are pipes are one line each, and nobody waits', async () => {
  const file = pipe();
  expect(() => readYaml(file)).toThrow(/pipe: cannot be read \(it is a pipe or a device\)/);
  expect(() => readPasswords(file)).toThrow(/pipe: cannot be read \(it is a pipe or a device\)/);
  const builder = { add: () => 'domains' as const, *build() {} };
  await expect(readList(file, 'plain', 1_000, builder as never)).rejects.toThrow('it is a pipe or a device');
});

test('authorities, keys, tokens and certificates that are pipes are one line each, and no start waits', () => {
  const file = pipe();
  chmodSync(file, 0o600);
  const says = 'cannot be read (it is a pipe or a device)';
  expect(() => trustedRoots(file)).toThrow(`${file}: the file of authorities ${says}; correct outbound.ca_file`);
  expect(() => readGuarded(file, 'the token')).toThrow(`${file}: the token ${says}`);
  expect(() => readCertificates(file)).toThrow(`${file}: the certificate of the CA ${says}`);
});

test('what a shell hands over is judged like a file', () => {
  const file = join(folder(), 'key');
  writeFileSync(file, 'secret', { mode: 0o644 });
  const fd = openSync(file, 'r');
  onTestFinished(() => closeSync(fd));
  expect(() => readGuarded(`/proc/self/fd/${fd}`, 'the key')).toThrow('others can use the key (mode 0644)');
});
