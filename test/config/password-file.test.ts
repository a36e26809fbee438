import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readPasswords } from '../../src/config/password-file.ts';
import { argon2Line, bcryptLine } from '../support/passwords.ts';

function fileOf(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-passwords-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'htpasswd'), text);
  return join(dir, 'htpasswd');
}

test('reads bcrypt and argon2, with comments, empty lines and either line end', async () => {
  const [ada, bob] = [await bcryptLine('ada'), await argon2Line('bob')];
  const users = readPasswords(fileOf(`# staff\r\n\n${ada.trim()}\r\n${bob}\n${ada.replace('ada:$2a', 'eve:$2y')}`));
  expect([...users.keys()]).toEqual(['ada', 'bob', 'eve']);
  expect(users.get('bob')).toBe(bob.trim().slice(4));
});

test.each([
  ['a password in the clear', 'ada:hunter2\n', ':1: the hash is neither bcrypt nor argon2'],
  ['MD5', 'ada:$apr1$abcdefgh$ajlsdkjflsjdlfjslfjs/\n', ':1: the hash is neither'],
  ['SHA-1', 'ada:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=\n', ':1: the hash is neither'],
  ['no colon', '\n# x\nada\n', ':3: a line is "user:hash"'],
  ['no user', ':$2y$04$x\n', ':1: a line is "user:hash"'],
  ['nobody', '# only a comment\n', 'contains no user'],
  [
    'argon2 of 8 GiB',
    'ada:$argon2id$v=19$m=83886080,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA\n',
    ':1: the hash is',
  ],
  [
    'argon2 of 512 MiB',
    'ada:$argon2id$v=19$m=524288,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA\n',
    ':1: checking this hash takes',
  ],
  [
    'argon2 of 999 passes',
    'ada:$argon2id$v=19$m=65536,t=999,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA\n',
    ':1: checking this hash takes',
  ],
  ['bcrypt of cost 19', `ada:$2y$19$${'a'.repeat(53)}\n`, ':1: checking this hash takes'],
])('refuses %s, and shows nothing of the line', (_what, text, fault) => {
  const file = fileOf(text);
  expect(() => readPasswords(file)).toThrow(fault);
  expect(() => readPasswords(file)).not.toThrow(/hunter2|apr1|0DPi/);
});

test('refuses a user who is there twice, and a file that is not there', async () => {
  const ada = await bcryptLine('ada');
  expect(() => readPasswords(fileOf(ada + ada))).toThrow(':2: this user is already in the file');
  expect(() => readPasswords('/nowhere/htpasswd')).toThrow('/nowhere/htpasswd: cannot be read (ENOENT)');
});
