/** The page about rehearsing: every command in it is run, and prints what the page says. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { repository } from '../support/lab.ts';
import { run } from '../support/product.ts';

const page = readFileSync(join(repository, 'docs/rehearsal.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/gms)];

test('every command runs, and prints what the page shows', async () => {
  // The first call builds what has changed.
  await run(['help']).ended;
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-page-'));
  try {
    for (const folder of ['config', 'docs/examples'])
      cpSync(join(repository, folder), join(dir, folder), { recursive: true });
    const npx = `npx() { shift; "${process.execPath}" "${join(repository, 'dist/main.js')}" "$@"; }`;
    expect(blocks.length).toBeGreaterThan(3);
    for (const [, commands = '', printed] of blocks) {
      // `diff` ends with 1 where there is a difference.
      const script = `${npx}\n${commands}\ntrue`;
      const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], { cwd: dir });
      expect(stderr).toBe('');
      if (printed !== undefined) expect(stdout).toContain(printed);
    }
    expect(JSON.parse(readFileSync(join(dir, 'simulated.json'), 'utf8'))).toMatchObject({ attempts: 75 });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
