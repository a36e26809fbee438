/**
 * What continuous integration runs, with stand-ins for the programs that it calls: the real ones would run this test.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { read, repository } from './repository.ts';

const script = join(repository, '.ci/run');
const needed = [...read('.ci/run').matchAll(/^need (\S+) (\S+)$/gm)].map(([, program = '', name = '']) => ({
  program,
  name,
}));

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface World {
  /** What the test runner reports; null: it writes no report. */
  readonly report: object | null;
  /** The npm step that fails: `ci`, `lint`, `types`, `test`. */
  readonly failing?: string;
  readonly missing?: string;
  readonly aptFails?: boolean;
}

/** Runs .ci/run in a repository that holds little else, on a machine that has what `world` says. */
function run({ report, failing = 'none', missing, aptFails = false }: World) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-ci-'));
  folders.push(folder);
  for (const name of ['.ci', 'scripts', 'bin']) mkdirSync(join(folder, name));
  for (const name of ['.ci/run', 'scripts/test-counts.mjs']) copyFileSync(join(repository, name), join(folder, name));
  const calls = join(folder, 'calls');
  const program = (name: string, body: string): void =>
    writeFileSync(join(folder, 'bin', name), `#!/bin/bash\necho "${name} $*" >> '${calls}'\n${body}\n`, {
      mode: 0o755,
    });

  for (const { program: name } of needed) if (name !== missing) program(name, 'exit 0');
  program('node', `exec '${process.execPath}' "$@"`);
  program('npx', 'exit 0');
  program('apt-get', aptFails ? 'exit 100' : 'exit 0');
  // On a machine without root's rights it would be asked for them; what then runs is the stand-in.
  program('sudo', 'shift; exec "$@"');
  // Nothing outside the folder is written.
  program('tee', 'exit 0');
  program('chmod', 'exit 0');
  writeFileSync(join(folder, 'report.json'), JSON.stringify(report));
  const writeReport = report === null ? '' : `cp '${join(folder, 'report.json')}' "\${arg#--outputFile.json=}"`;
  program(
    'npm',
    `for arg in "$@"; do case $arg in --outputFile.json=*) ${writeReport} ;; esac; done
    if [ "$1" = run ]; then shift; [ "$1" = --silent ] && shift; fi
    [ "$1" != '${failing}' ]`,
  );
  // Only these and what a shell script cannot do without: nothing installed here stands in for what is "missing".
  const tools = join(folder, 'tools');
  mkdirSync(tools);
  for (const name of ['bash', 'sh', 'env', 'dirname', 'mktemp', 'rm', 'id', 'cp']) {
    const found = ['/usr/bin', '/bin'].map((place) => join(place, name)).find((file) => existsSync(file));
    writeFileSync(join(tools, name), `#!/bin/sh\nexec ${found ?? name} "$@"\n`, { mode: 0o755 });
  }
  const env = { PATH: [join(folder, 'bin'), tools].join(delimiter), HOME: folder };
  const { status, stdout, stderr } = spawnSync('/bin/bash', [join(folder, '.ci/run')], { encoding: 'utf8', env });
  return { status, stderr, lines: stdout.trimEnd().split('\n'), calls: readFileSync(calls, 'utf8').split('\n') };
}

const green = { numPassedTests: 7, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };

describe('.ci/run', () => {
  test('is executable', () => {
    expect(() => accessSync(script, constants.X_OK)).not.toThrow();
  });

  test('installs every program that test-needs asks for', () => {
    const options = { encoding: 'utf8', env: { PATH: '' } } as const;
    const { stderr } = spawnSync(process.execPath, [join(repository, 'scripts/test-needs.mjs')], options);
    const packages = [...stderr.matchAll(/ (\S+)$/gm)].map(([, name]) => name);
    expect(packages.length).toBeGreaterThan(0);
    expect(needed.map(({ name }) => name).sort()).toEqual(packages.sort());
  });

  test('ends with the counts, and calls each step once', () => {
    const { status, lines, calls } = run({ report: green });
    expect(status).toBe(0);
    expect(lines.at(-1)).toBe('7 passed, 0 failed');
    const called = calls.filter((call) => /^(npm|npx|apt-get) /.test(call));
    expect(called.shift()).toBe('npm ci --no-audit --no-fund');
    expect(called.pop()).toMatch(/^npm test -- --reporter=default --reporter=json --outputFile\.json=\S+$/);
    // These run beside each other, in whatever order.
    expect(called.toSorted()).toEqual([
      'npm run --silent lint',
      'npm run --silent types',
      'npx --no-install prettier --check .',
    ]);
  });

  test.each<[string, World, string]>([
    ['lint', { report: green, failing: 'lint' }, '7 passed, 0 failed'],
    ['what runs beside it', { report: green, failing: 'types' }, '7 passed, 0 failed'],
    ['a test', { report: { ...green, numFailedTests: 2 }, failing: 'test' }, '7 passed, 2 failed'],
    ['the build before the tests', { report: null, failing: 'test' }, '0 passed, 1 failed'],
  ])('fails where %s fails, and still ends with the counts', (_what, world, line) => {
    const { status, lines } = run(world);
    expect(status).toBe(1);
    expect(lines.slice(-2)).toEqual([`ci: failed: ${world.failing ?? ''}`, line]);
  });

  test('installs what is missing, and nothing else', () => {
    const { status, calls } = run({ report: green, missing: 'promtool' });
    expect(status).toBe(0);
    expect(calls.filter((call) => call.startsWith('apt-get '))).toEqual([
      'apt-get update -q',
      'apt-get install -y -q --no-install-recommends prometheus',
    ]);
  });

  test('goes on without what cannot be installed, and says so', () => {
    const { status, stderr, lines } = run({ report: green, missing: 'promtool', aptFails: true });
    expect(status).toBe(0);
    expect(stderr).toContain('ci: prometheus cannot be installed; the tests that need it are skipped');
    expect(lines.at(-1)).toBe('7 passed, 0 failed');
  });
});
