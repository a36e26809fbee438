/** The words of the benchmark's command line; what it measures is its own affair. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../support/lab.ts';

function bench(...args: readonly string[]) {
  const { status, stderr } = spawnSync(process.execPath, [join(repository, 'bench/compare.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { status, stderr };
}

test('--help says how it is used, and an unknown option too, without a stack', () => {
  const help = bench('--help');
  expect(help.status).toBe(0);
  expect(help.stderr).toMatch(/^Usage: npm run bench -- [^]*What can be measured: idle, connect, /);
  const wrong = bench('--nope');
  expect(wrong.status).toBe(2);
  expect(wrong.stderr).toMatch(/^bench: Unknown option '--nope'[^\n]*\nUsage: /);
  expect(wrong.stderr).not.toContain('    at ');
});
