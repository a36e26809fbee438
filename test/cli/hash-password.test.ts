import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { hash } from '../../src/cli/hash-password.ts';
import { UsageError } from '../../src/cli/verb.ts';
import { readPasswords } from '../../src/config/password-file.ts';
import { createPasswordPool } from '../../src/identify/password-pool.ts';

async function run(args: readonly string[], ...input: readonly string[]) {
  const out: string[] = [];
  const print = (line: string): void => void out.push(line);
  const stdin = Readable.from(input.map((text) => Buffer.from(text)));
  const code = await hash.run(args, { out: print, err: print, env: {}, cwd: '.', stdin });
  return { code, out };
}

test('prints a line that a password file may have, and that the password opens', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-hash-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const { code, out } = await run(['ada'], 'söme pass', 'word\r\nmore\n');
  expect(code).toBe(0);
  expect(out).toHaveLength(1);
  expect(out[0]).not.toContain('word');
  const file = join(dir, 'users');
  writeFileSync(file, `${out[0] ?? ''}\n`);
  const kept = readPasswords(file).get('ada') ?? '';
  const pool = createPasswordPool({ threads: 1, queue: 9, refused: () => undefined });
  onTestFinished(() => pool.close());
  expect(await pool.verify('söme password', kept)).toBe(true);
  expect(await pool.verify('söme password ', kept)).toBe(false);
});

test('two hashes of one password differ', async () => {
  const [one, two] = [await run(['ada'], 'x\n'), await run(['ada'], 'x\n')];
  expect(one.out).not.toEqual(two.out);
});

test.each<readonly [string, readonly string[], string, RegExp]>([
  ['no user', [], 'x\n', /name the user/],
  ['a password as an argument', ['ada', 'hunter2'], 'x\n', /the password comes from standard input/],
  ['a user with a colon', ['a:b'], 'x\n', /no colon/],
  ['a user that would be a comment', ['#ada'], 'x\n', /does not begin with #/],
  ['no password', ['ada'], '\n', /the password is empty/],
  ['nothing at all', ['ada'], '', /the password is empty/],
  ['a whole file', ['ada'], 'x'.repeat(5_000), /longer than 4096 bytes/],
])('%s is wrong use, and no password is repeated', async (_, args, input, says) => {
  const failed = run(args, input);
  await expect(failed).rejects.toThrow(UsageError);
  await expect(failed).rejects.toThrow(says);
  await expect(failed).rejects.not.toThrow(/hunter2/);
});
