import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { statOf } from '../../src/config/stat-of.ts';

test('says what is at a path, and nothing where the system does not tell', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-stat-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const circle = join(dir, 'circle');
  symlinkSync(circle, circle);
  expect(statOf(dir)?.isDirectory()).toBe(true);
  for (const path of [join(dir, 'none'), circle, join(circle, 'x'), '/dev/null/x', `/${'x'.repeat(300)}`]) {
    expect(statOf(path)).toBeUndefined();
  }
});
