import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { stampOf } from '../../src/config/stamp.ts';

const dir = mkdtempSync(join(tmpdir(), 'sallyport-stamp-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = join(dir, 'policy.yaml');
const next = join(dir, 'next.yaml');
const stamp = (): string => stampOf(statSync(file, { bigint: true }));

test.each([
  ['is written anew', () => writeFileSync(file, 'longer than before')],
  ['gives way to another', () => renameSync(next, file)],
])('a file that %s has another stamp, and one that is left alone the same', (_what, change) => {
  for (const one of [file, next]) writeFileSync(one, 'as long');
  const before = stamp();
  expect(stamp()).toBe(before);
  change();
  expect(stamp()).not.toBe(before);
});
