/** The helper scripts, each run as npm and CI run them: as a program of its own. */
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
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { repository } from './repository.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-scripts-'));
  folders.push(folder);
  return folder;
}

function run(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = process.env) {
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env });
}

describe('build-if-needed', () => {
  const source = 'export const answer: number = 41;\n';

  /** A project as small as one can be, with the real script and the real compiler settings. */
  function project(options: { readonly typescript: boolean; readonly src?: string }) {
    const folder = temporaryFolder();
    for (const name of ['src', 'scripts']) mkdirSync(join(folder, name));
    for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build-if-needed.mjs']) {
      copyFileSync(join(repository, name), join(folder, name));
    }
    writeFileSync(join(folder, 'package-lock.json'), '{}');
    writeFileSync(join(folder, 'src/main.ts'), options.src ?? source);
    if (options.typescript) symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
    const at = (name: string): string => join(folder, name);
    return { at, build: () => run(at('scripts/build-if-needed.mjs')) };
  }

  test('builds what was never built, then says and touches nothing', () => {
    const { at, build } = project({ typescript: true });
    expect(build()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(readFileSync(at('dist/main.js'), 'utf8')).toContain('answer = 41');
    expect(() => accessSync(at('dist/main.js'), constants.X_OK)).not.toThrow();
    const built = statSync(at('dist/main.js')).mtimeMs;
    expect(build()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(statSync(at('dist/main.js')).mtimeMs).toBe(built);
  });

  test.each<[string, (at: (name: string) => string) => void]>([
    ['a changed source', (at) => writeFileSync(at('src/main.ts'), 'export const answer: number = 42;\n')],
    ['a changed lock', (at) => writeFileSync(at('package-lock.json'), '{"changed":true}')],
    ['a new source', (at) => writeFileSync(at('src/other.ts'), 'export {};\n')],
    ['a deleted output', (at) => rmSync(at('dist/main.js'))],
  ])('builds again after %s', (_what, change) => {
    const { at, build } = project({ typescript: true });
    expect(build().status).toBe(0);
    const stamp = statSync(at('dist/.built-from')).mtimeMs;
    change(at);
    expect(build()).toMatchObject({ status: 0, stderr: '' });
    expect(statSync(at('dist/.built-from')).mtimeMs).toBeGreaterThan(stamp);
    expect(existsSync(at('dist/main.js'))).toBe(true);
  });

  test('an error is one line with its place, and is not forgotten at the next try', () => {
    const src = "export const a: number = 'one';\nexport const b: number = 'two';\n";
    const { build } = project({ typescript: true, src });
    for (const attempt of [build(), build()]) {
      expect(attempt.status).toBe(1);
      expect(attempt.stderr).toMatch(
        /^build: src\/main\.ts\(1,14\): error TS2322: .* \(and 1 more\); "npm run build".*\n$/,
      );
    }
  });

  test('where TypeScript is not installed a build is taken as it is', () => {
    const { at, build } = project({ typescript: false });
    mkdirSync(at('dist'));
    writeFileSync(at('dist/main.js'), '');
    expect(build()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(readFileSync(at('dist/main.js'), 'utf8')).toBe('');
  });

  test('where nothing is there to build with or to run, it says what to do', () => {
    const { build } = project({ typescript: false });
    expect(build()).toMatchObject({
      status: 1,
      stderr: 'build: dist/main.js is missing and TypeScript is not installed; run "npm ci", then again.\n',
    });
  });
});

describe('test-needs', () => {
  const script = join(repository, 'scripts/test-needs.mjs');

  test('names each missing program, what is skipped and the package that brings it', () => {
    const { status, stderr } = run(script, [], { PATH: temporaryFolder() });
    expect(status).toBe(0);
    const lines = stderr.trimEnd().split('\n');
    const named = lines.map((line) => /^MISSING (\S+): SKIPPED .+ apt-get install .* (\S+)$/.exec(line)?.slice(1));
    expect(named).toEqual([
      ['chromium', 'chromium'],
      ['certutil', 'libnss3-tools'],
      ['openssl', 'openssl'],
      ['curl', 'curl'],
      ['promtool', 'prometheus'],
      ['systemd-analyze', 'systemd'],
      ['kubectl', 'kubernetes-client'],
      ['slapd', 'slapd'],
      ['git', 'git'],
    ]);
  });

  test('says nothing of what is there', () => {
    const folder = temporaryFolder();
    for (const program of 'google-chrome certutil openssl promtool systemd-analyze kubectl slapd git'.split(' ')) {
      writeFileSync(join(folder, program), '', { mode: 0o755 });
    }
    const { status, stderr } = run(script, [], { PATH: folder });
    expect(status).toBe(0);
    expect(stderr).toMatch(/^MISSING curl: .*\n$/);
  });
});

describe('test-counts', () => {
  const script = join(repository, 'scripts/test-counts.mjs');
  const file = (status: string, ...tests: string[]) => ({
    status,
    assertionResults: tests.map((test) => ({ status: test })),
  });

  test.each([
    ['all passed', [2, 0, 0, 0], [file('passed', 'passed', 'passed')], '2 passed, 0 failed\n'],
    ['one failed', [1, 1, 0, 0], [file('failed', 'passed', 'failed')], '1 passed, 1 failed\n'],
    ['some skipped', [5, 0, 2, 1], [file('passed', 'passed', 'skipped')], '5 passed, 0 failed, 3 skipped\n'],
    ['a file that does not load', [3, 0, 0, 0], [file('passed', 'passed'), file('failed')], '3 passed, 1 failed\n'],
  ])('%s', (_what, [passed, failed, pending, todo], testResults, line) => {
    const report = join(temporaryFolder(), 'report.json');
    const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: pending, numTodoTests: todo };
    writeFileSync(report, JSON.stringify({ ...counts, testResults }));
    expect(run(script, [report])).toMatchObject({ status: 0, stdout: line });
  });

  test('no report is a failure, not a success', () => {
    expect(run(script, [join(temporaryFolder(), 'none.json')]).stdout).toBe('0 passed, 1 failed\n');
  });
});
