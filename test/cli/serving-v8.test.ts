/**
 * A process that serves compiles what is called often for good long before V8 would by itself, and collects less often.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../support/lab.ts';
import { build } from '../support/product.ts';

/** Of V8's `OptimizationStatus` (src/runtime/runtime.h): compiled for good, and not only once over. */
const TURBOFANNED = Number.parseInt(process.versions.v8, 10) >= 14 ? 32 : 64;

/** Enough afterwards, and too few before. Node.js 20 counts code that was run, not calls. */
const calls = process.versions.node.startsWith('20.') ? 1_000 : 2_000;

function script(module: string): string {
  return `
    import { setTimeout } from 'node:timers/promises';
    import { tuneForServing } from ${JSON.stringify(module)};
    const isCompiled = async () => {
      const called = new Function('a', 'return a' + ' * a + a'.repeat(10) + ';');
      const compiled = () => (%GetOptimizationStatus(called) & ${TURBOFANNED}) !== 0;
      for (let i = 0; i < ${calls}; i += 1) {
        called(i);
        if (i % 50 === 0) await setTimeout(5);
      }
      // V8 compiles in another thread, which may have to wait for a processor, and takes the result at a call.
      for (let i = 0; i < 50 && !compiled(); i += 1) {
        await setTimeout(20);
        called(i);
      }
      return compiled();
    };
    const before = await isCompiled();
    tuneForServing();
    console.log(JSON.stringify({ before, after: await isCompiled() }));
  `;
}

const moduleUrl = (): string => pathToFileURL(join(repository, 'dist/cli/serving-v8.js')).href;

test('what is called often is compiled for good, which it is not yet by default', async () => {
  build();
  const args = ['--allow-natives-syntax', '--input-type=module', '--eval', script(moduleUrl())];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual({ before: false, after: true });
});

test('the old generation may double before it is collected', async () => {
  build();
  const code = `
    import { tuneForServing } from ${JSON.stringify(moduleUrl())};
    const kept = Array.from({ length: 400_000 }, (_, i) => ({ i, all: [i] }));
    gc();
    console.log('tuned');
    tuneForServing();
    gc();
    console.log(kept.length);
  `;
  const args = ['--expose-gc', '--trace-gc-verbose', '--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 });
  const [before = '', after = ''] = stdout.split('tuned\n');
  /** KB by which more than is there may be there before the next collection, as V8 says itself. */
  const room = (text: string): number => {
    const [, old, limit] = /\[HeapController\] Limit: old size: (\d+) KB, new limit: (\d+) KB/.exec(text) ?? [];
    return Number(limit) / Number(old);
  };
  expect(before).toContain('Limit: old size');
  // By itself V8 lets a heap that grew this fast grow to four times its size; and the new generation is added.
  const young = 34_000 / 30_000;
  expect(room(before)).toBeGreaterThan(3.5);
  expect(room(after)).toBeGreaterThan(2);
  expect(room(after)).toBeLessThan(2 + young);
});

test('a place in the code remembers more than four kinds of objects', async () => {
  build();
  const code = `
    import { tuneForServing } from ${JSON.stringify(moduleUrl())};
    const kinds = Array.from({ length: 12 }, (_, i) => ({ ['only' + i]: i, atFirst: i, later: i }));
    const read = (name) => new Function('kinds', 'for (const kind of kinds) kind.' + name + ';');
    read('atFirst')(kinds);
    tuneForServing();
    read('later')(kinds);
  `;
  const folder = mkdtempSync(join(tmpdir(), 'serving-v8-'));
  const log = join(folder, 'v8.log');
  const flags = ['--no-lazy-feedback-allocation', '--log-ic', `--logfile=${log}`, '--no-logfile-per-isolate'];
  await promisify(execFile)(process.execPath, [...flags, '--input-type=module', '--eval', code]);
  const lines = readFileSync(log, 'latin1').split('\n');
  rmSync(folder, { recursive: true });
  /** The last that V8 logged of the one place that reads it: P, of several kinds, or N, of any (src/ic/ic.cc). */
  const stateOf = (name: string): string | undefined =>
    lines
      .map((line) => line.split(','))
      .findLast((fields) => fields[0] === 'LoadIC' && fields[8] === name)
      ?.at(6);
  expect(stateOf('atFirst')).toBe('N');
  expect(stateOf('later')).toBe('P');
});
