/** The published table says what the tests say, and no case is without one. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('docs/security.md has every case, as its test tells it', async () => {
  const run = promisify(execFile)(process.execPath, ['scripts/security-table.mjs', '--check']);
  expect(
    await run.then(
      ({ stdout }) => stdout,
      (error: unknown) => (error as { stdout: string }).stdout,
    ),
  ).toBe('');
});
