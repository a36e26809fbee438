/** Signals that come while the program is still being loaded. */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeConfig } from '../support/lab.ts';
import { run } from '../support/product.ts';
import { eventually } from '../support/streams.ts';

const asModule = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;

/** Has `serve` wait for a second before it is loaded, as on a slow machine, and says so. */
const slowly = asModule(`
  import { writeSync } from 'node:fs';
  export async function resolve(name, context, next) {
    if (name.endsWith('cli/serve.js')) {
      writeSync(2, 'serve is about to be loaded\\n');
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    return next(name, context);
  }`);
const hooked = asModule(`import { register } from 'node:module'; register(${JSON.stringify(slowly)});`);

test.each([
  ['SIGHUP', true],
  ['SIGUSR1', true],
  ['SIGUSR2', false],
] as const)('%s before anything is loaded ends nothing and opens no debugger', async (signal, obeyed) => {
  const file = writeConfig();
  onTestFinished(() => rmSync(dirname(file), { recursive: true, force: true }));
  const starting = run(['serve', '-c', file], { node: ['--import', hooked] });
  await eventually('the beginning', () => starting.stderr().includes('about to be loaded'));
  starting.kill(signal);
  await eventually('the welcome', () => starting.stdout().includes('# counted'));
  if (obeyed) await eventually('a reload', () => starting.stderr().includes('reloaded: '));
  expect(starting.stderr()).not.toContain('Debugger');
});
