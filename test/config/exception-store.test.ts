import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { changeExceptions } from '../../src/config/exception-store.ts';
import { Refused } from '../../src/config/exception-changes.ts';
import { checkLine } from '../../src/config/exception-line.ts';
import type { StoredLine } from '../../src/config/exception-line.ts';

const line = (id: string): StoredLine =>
  checkLine({
    id,
    vendors: 'acme',
    until: '2026-08-10T08:00:00Z',
    approved_by: 'head',
    reason: 'why',
    created_at: '2026-07-10T08:00:00Z',
    created_by: 'alice',
  });

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sallyport-store-'));
  file = join(dir, 'exceptions.jsonl');
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

const append = (id: string) => () => ({ append: [line(id)], replace: new Map<number, StoredLine>() });
const ids = (): string[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => (JSON.parse(text) as { id: string }).id);

test('makes the file, and adds to it', async () => {
  await changeExceptions(file, append('one'));
  await changeExceptions(file, append('two'));
  expect(ids()).toEqual(['one', 'two']);
  expect(readdirSync(dir)).toEqual(['exceptions.jsonl']);
});

test('lines that nothing changes stay as they are written', async () => {
  await changeExceptions(file, append('one'));
  const spaced = `\n ${readFileSync(file, 'utf8')}`;
  writeFileSync(file, spaced);
  await changeExceptions(file, append('two'));
  expect(readFileSync(file, 'utf8').startsWith(spaced)).toBe(true);
});

test('keeps the mode of the file, and the link that it is reached by', async () => {
  mkdirSync(join(dir, 'real'));
  const real = join(dir, 'real', 'kept.jsonl');
  writeFileSync(real, '');
  chmodSync(real, 0o640);
  symlinkSync(real, file);
  await changeExceptions(file, append('one'));
  expect(readFileSync(real, 'utf8')).toContain('"one"');
  expect(statSync(real).mode & 0o777).toBe(0o640);
});

test('takes away what a killed writer left', async () => {
  writeFileSync(`${file}.0123456789ab.tmp`, 'half');
  writeFileSync(`${file}.mine.tmp`, 'not of ours');
  await changeExceptions(file, append('one'));
  expect(readdirSync(dir).toSorted()).toEqual(['exceptions.jsonl', 'exceptions.jsonl.mine.tmp']);
});

test('nothing is written into a broken file', async () => {
  writeFileSync(file, '{"id":');
  await expect(changeExceptions(file, append('one'))).rejects.toThrow(/exceptions\.jsonl:1:1: not valid JSON/);
  expect(readFileSync(file, 'utf8')).toBe('{"id":');
});

test('nothing is written that could not be read again', async () => {
  const bad = { ...line('one'), reason: 'a\u0007b' };
  await expect(changeExceptions(file, () => ({ append: [bad], replace: new Map() }))).rejects.toThrow(
    /control characters/,
  );
  expect(readdirSync(dir)).toEqual([]);
});

test('says where it cannot write', async () => {
  const nowhere = join(dir, 'missing', 'exceptions.jsonl');
  await expect(changeExceptions(nowhere, append('one'))).rejects.toThrow(
    expect.objectContaining({
      why: 'unwritable',
      message: expect.stringMatching(/cannot be written \(ENOENT\); give this/) as unknown,
    }),
  );
});

test.skipIf(userInfo().uid === 0)('says that it may not', async () => {
  chmodSync(dir, 0o500);
  onTestFinished(() => chmodSync(dir, 0o700));
  await expect(changeExceptions(file, append('one'))).rejects.toThrow(/cannot be written \(EACCES\)/);
});

test('hundreds at once are made in a few turns, each seen by the next', async () => {
  const count = 300;
  const seen: number[] = [];
  const since = performance.now();
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      changeExceptions(file, (contents) => {
        seen.push(contents.lines.size);
        return append(`id-${index}`)();
      }),
    ),
  );
  // One by one, with a file of each beside the lock, they took half a minute, and then some were refused.
  expect(performance.now() - since).toBeLessThan(10_000);
  expect(seen).toEqual(Array.from({ length: count }, (_, index) => index));
  expect(ids()).toHaveLength(count);
});

test('one that is refused leaves the others as they are', async () => {
  const refuse = (): never => {
    throw new Refused('taken', 'there is one already');
  };
  const results = await Promise.allSettled([
    changeExceptions(file, append('one')),
    changeExceptions(file, refuse),
    changeExceptions(file, append('two')),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(ids()).toEqual(['one', 'two']);
});

test('where the file cannot be written all that wait are told so, and the next try is a new one', async () => {
  const late = join(dir, 'late', 'exceptions.jsonl');
  const results = await Promise.allSettled([
    changeExceptions(late, append('one')),
    changeExceptions(late, append('two')),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  mkdirSync(join(dir, 'late'));
  await changeExceptions(late, append('three'));
  expect(readFileSync(late, 'utf8')).toContain('"three"');
});
