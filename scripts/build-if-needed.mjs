/**
 * Compiles src/ to dist/ when something that goes into the build has changed since the last one. Says nothing when
 * there is nothing to do.
 *
 * What went into a build is remembered by content, not by time: a checkout, a copy or a restored cache changes times as
 * it likes.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const entry = join(dist, 'main.js');
const stamp = join(dist, '.built-from');
const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** A digest of everything that goes into the build. */
function fingerprint() {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.m?[jt]s$/.test(name))
    .map((name) => join('src', name))
    .sort();
  const hash = createHash('sha256');
  for (const name of [...settings, ...sources]) {
    const file = join(root, name);
    hash
      .update(`${name}\0`)
      .update(existsSync(file) ? readFileSync(file) : '')
      .update('\0');
  }
  return hash.digest('hex');
}

/** @returns {string | null} The compiler's file, or null where it is not installed. */
function compiler() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  } catch {
    return null;
  }
}

/**
 * @param {string} problem
 * @returns {never}
 */
function fail(problem) {
  process.stderr.write(`build: ${problem}\n`);
  process.exit(1);
}

/** @param {string} tsc */
function build(tsc) {
  const before = fingerprint();
  if (existsSync(entry) && existsSync(stamp) && readFileSync(stamp, 'utf8') === before) return;
  // What the incremental build remembers would keep it from writing a file that has been deleted since.
  if (!existsSync(entry)) rmSync(dist, { recursive: true, force: true });
  rmSync(stamp, { force: true });
  const { status, stdout, error } = spawnSync(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json', '--pretty', 'false'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  if (error !== undefined) fail(`the compiler cannot be started: ${error.message}`);
  if (status !== 0) {
    const problems = stdout.split('\n').filter((line) => line.includes('error TS'));
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    fail(`${problems[0] ?? `tsc ended with status ${status ?? 'unknown'}`}${more}; "npm run build" shows everything.`);
  }
  chmodSync(entry, 0o755);
  // Makes starts quick; a build without it is as good.
  spawnSync(process.execPath, [join(root, 'scripts', 'compile-catalogue.mjs')], { stdio: 'ignore' });
  writeFileSync(stamp, before);
}

const tsc = compiler();
if (tsc !== null && existsSync(join(root, 'src'))) build(tsc);
else if (!existsSync(entry)) fail('dist/main.js is missing and TypeScript is not installed; run "npm ci", then again.');
