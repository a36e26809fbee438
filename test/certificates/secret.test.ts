import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openSecret, readToken } from '../../src/certificates/secret.ts';

const dir = mkdtempSync(join(tmpdir(), 'secret-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('the secret of signed contexts', () => {
  test('is made once, for its owner alone, and read ever after', async () => {
    const first = await openSecret(dir, 'context.key');
    expect(first).toHaveLength(32);
    expect(await openSecret(dir, 'context.key')).toEqual(first);
    expect(statSync(join(dir, 'context.key')).mode & 0o777).toBe(0o600);
  });

  test('is one, whoever makes it first', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => openSecret(dir, 'race.key')));
    expect(new Set(made.map((secret) => secret.toString('hex'))).size).toBe(1);
  });

  test('is refused where others can read it', async () => {
    await openSecret(dir, 'open.key');
    chmodSync(join(dir, 'open.key'), 0o644);
    await expect(openSecret(dir, 'open.key')).rejects.toThrow(/open\.key: others can .*chmod 600/);
  });

  test('is refused, and not replaced, where the file holds something else', async () => {
    writeFileSync(join(dir, 'half.key'), 'abc', { mode: 0o600 });
    await expect(openSecret(dir, 'half.key')).rejects.toThrow(/half\.key: not 64 hexadecimal digits/);
    expect(readFileSync(join(dir, 'half.key'), 'utf8')).toBe('abc');
  });
});

describe('the token of the admin port', () => {
  const write = (text: string, mode = 0o600): string => {
    const file = join(dir, `token-${Math.random()}`);
    writeFileSync(file, text, { mode });
    return file;
  };

  test('is the one line of its file', () => {
    expect(readToken(write('0123456789abcdef0123\n'))).toBe('0123456789abcdef0123');
  });

  test.each([
    ['short', 'abc'],
    ['two words', '0123456789 abcdef0123'],
    ['empty', ''],
  ])('is refused when %s', (_, text) => {
    expect(() => readToken(write(text))).toThrow(/16 or more printable characters/);
  });

  test('is refused where others can read it', () => {
    expect(() => readToken(write('0123456789abcdef0123', 0o640))).toThrow(/chmod 600/);
  });
});
