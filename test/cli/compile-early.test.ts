/** A process that serves compiles what is called often for good, long before V8 would by itself. */
import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../support/lab.ts';
import { build } from '../support/product.ts';

/** Of V8's `OptimizationStatus` (src/runtime/runtime.h): compiled for good, and not only once over. */
const TURBOFANNED = 64;

/** Enough afterwards, and too few before. Node.js 20 counts code that was run, not calls. */
const calls = process.versions.node.startsWith('20.') ? 1_000 : 2_000;

function script(module: string): string {
  return `
    import { setTimeout } from 'node:timers/promises';
    import { compileEarly } from ${JSON.stringify(module)};
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
    compileEarly();
    console.log(JSON.stringify({ before, after: await isCompiled() }));
  `;
}

test('what is called often is compiled for good, which it is not yet by default', async () => {
  build();
  const module = pathToFileURL(join(repository, 'dist/cli/compile-early.js')).href;
  const args = ['--allow-natives-syntax', '--input-type=module', '--eval', script(module)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual({ before: false, after: true });
});
