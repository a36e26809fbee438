import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAccessLog } from '../../src/record/access-log.ts';
import { attempt } from './attempts.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileLog(path: string) {
  const faults: string[] = [];
  const log = createAccessLog({
    path,
    format: 'ecs',
    stdout: new PassThrough(),
    onFault: (error) => void faults.push(error.message),
  });
  return { log, faults };
}

function idsIn(path: string): readonly unknown[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { event: { id: string } }).event.id);
}

test('one line for every attempt that ended, none for a decision', async () => {
  const path = join(folder, 'access.log');
  const { log } = fileLog(path);
  const ids = Array.from({ length: 500 }, (_value, index) => `id-${index}`);
  for (const id of ids) {
    log.decided(attempt({ id }));
    log.finished(attempt({ id }));
  }
  await log.close();
  expect(idsIn(path)).toEqual(ids);
  expect(log.lost).toBe(0);
});

test('a rotation under load loses and tears no line', async () => {
  const path = join(folder, 'access.log');
  const { log } = fileLog(path);
  const ids: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    for (let index = 0; index < 100; index += 1) {
      const id = `${round}-${index}`;
      ids.push(id);
      log.finished(attempt({ id }));
      if (index % 10 === 0) await new Promise(setImmediate);
    }
    renameSync(path, `${path}.${round}`);
    log.reopen();
    await expect.poll(() => existsSync(path)).toBe(true);
  }
  await log.close();
  const rotated = [0, 1, 2, 3, 4].flatMap((round) => idsIn(`${path}.${round}`));
  expect([...rotated, ...idsIn(path)]).toEqual(ids);
  expect(log.lost).toBe(0);
});

test('a full disk costs lines, which are counted, and nothing else', async () => {
  const { log, faults } = fileLog('/dev/full');
  for (let index = 0; index < 100; index += 1) {
    log.finished(attempt());
    if (index === 50) await expect.poll(() => log.lost).toBe(51);
  }
  await log.close();
  expect(log.lost).toBe(100);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain('ENOSPC');
});

test('a stream gets the lines', async () => {
  const stdout = new PassThrough();
  const log = createAccessLog({ path: '-', format: 'ecs', stdout, onFault: () => undefined });
  log.finished(attempt({ id: 'streamed' }));
  await log.close();
  stdout.end();
  expect(await text(stdout)).toContain('"id":"streamed"');
});

/** A program that logs to its standard output and tells on standard error how that went. */
const program = `
  import { createAccessLog } from './src/record/access-log.js';
  import { attempt } from './test/record/attempts.js';
  const onFault = (error) => process.stderr.write('fault ' + error.code + '\\n');
  const log = createAccessLog({ path: '-', format: 'ecs', stdout: process.stdout, onFault });
  let ticks = 0;
  const timer = setInterval(() => {
    log.finished(attempt());
    ticks += 1;
    if (log.lost < 20) return;
    clearInterval(timer);
    process.stderr.write('went on for ' + ticks + ' ticks\\n');
    log.close();
  }, 2);
`;

/** Node 20 runs no TypeScript: the files that the program needs, as JavaScript in `folder`. */
function compileInto(to: string): void {
  const root = join(import.meta.dirname, '..', '..');
  const record = readdirSync(join(root, 'src/record')).map((name) => `src/record/${name}`);
  const compilerOptions = {
    module: ModuleKind.ESNext,
    target: ScriptTarget.ES2023,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  };
  for (const path of [...record, 'src/errors.ts', 'src/in-one-piece.ts', 'test/record/attempts.ts']) {
    const { outputText } = transpileModule(readFileSync(join(root, path), 'utf8'), { compilerOptions });
    mkdirSync(join(to, dirname(path)), { recursive: true });
    writeFileSync(join(to, path.replace(/\.ts$/, '.js')), outputText);
  }
  writeFileSync(join(to, 'package.json'), '{"type":"module"}');
  writeFileSync(join(to, 'program.js'), program);
}

test('a reader of standard output that goes away ends neither the program nor the traffic', async () => {
  compileInto(folder);
  const child = spawn(process.execPath, ['program.js'], { cwd: folder });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.stdout.once('data', () => child.stdout.destroy());
  const said = await text(child.stderr);
  expect(said).toMatch(/^fault EPIPE\nwent on for \d+ ticks\n$/);
  expect(await exit).toBe(0);
});
