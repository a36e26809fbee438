import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, test } from 'vitest';
import { pollFile } from '../../src/config/poll-file.ts';
import { eventually } from '../support/streams.ts';

test('sees a file come, change, be replaced and go', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-look-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'file');
  let changes = 0;
  const look = pollFile(file, () => (changes += 1));
  onTestFinished(() => look.close());
  await eventually('the first look', () => changes === 1);
  writeFileSync(file, 'a');
  await eventually('that it came', () => changes === 2, 1_000);
  writeFileSync(file, 'b');
  await eventually('that it changed', () => changes === 3, 1_000);
  writeFileSync(`${file}.new`, 'b');
  renameSync(`${file}.new`, file);
  await eventually('that it was replaced', () => changes === 4, 1_000);
  rmSync(file);
  await eventually('that it went', () => changes === 5, 1_000);
});
