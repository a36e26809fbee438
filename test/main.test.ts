/** The command line from outside: which words it knows, and its exit codes. */
import { closeSync, existsSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { run } from './support/product.ts';

test.each([['--help'], ['-h'], ['help']])('%s lists the commands and is good', async (word) => {
  const called = run([word]);
  expect(await called.ended).toMatchObject({ code: 0 });
  for (const verb of ['serve', 'check', 'explain', 'ca']) expect(called.stdout()).toContain(`sallyport ${verb}`);
  expect(called.stdout()).toContain('SALLYPORT_CONFIG');
  expect(called.stderr()).toBe('');
});

test.each([['--version'], ['-V'], ['version']])('%s names the release', async (word) => {
  const called = run([word]);
  expect(await called.ended).toMatchObject({ code: 0 });
  expect(called.stdout()).toMatch(/^sallyport \d+\.\d+\.\d+\S*, Node\.js v\d+\S+\n$/);
});

test('no command at all shows the same help, and is wrong use', async () => {
  const [bare, help] = [run([]), run(['--help'])];
  expect(await bare.ended).toMatchObject({ code: 2 });
  await help.ended;
  expect(`${bare.stdout()}${bare.stderr()}`).toBe(help.stdout());
});

test.each([
  ['an unknown command', ['sreve'], /unknown command "sreve"; did you mean serve\?/],
  ['an unknown command like no other', ['xyzzy-plugh'], /unknown command "xyzzy-plugh"; "sallyport help" lists them/],
  ['an option with a slip', ['explain', 'claude.ai', '--jsno'], /unknown option --jsno; did you mean --json\?/],
  ['an option where there is one', ['serve', '--port', '1'], /unknown option --port; there is only --config/],
  ['an option like no other', ['check', '-z'], /unknown option -z; there are --config, /],
  ['a name that every object has', ['constructor'], /unknown command "constructor"/],
  ['an unknown option', ['serve', '--port', '1'], /--port/],
  ['an option without its value', ['serve', '-c'], /-c|--config/],
  ['an argument that serve does not take', ['serve', 'now'], /"now"/],
  ['a configuration that is not there', ['serve', '-c', '/nowhere/sallyport.yaml'], /\/nowhere\/sallyport\.yaml/],
])('%s is one line and exit 2', async (_, args, says) => {
  const called = run(args);
  expect(await called.ended).toEqual({ code: 2, signal: null });
  expect(called.stderr()).toMatch(/^sallyport: [^\n]+\n$/);
  expect(called.stderr()).toMatch(says);
  expect(called.stdout()).toBe('');
});

test('from the root of the disk, a path keeps its first slash', async () => {
  const called = run(['exceptions', 'list', '-c', '/nowhere/sallyport.yaml'], { cwd: '/' });
  expect(await called.ended).toMatchObject({ code: 2 });
  expect(called.stderr()).toMatch(/^sallyport: \/nowhere\/sallyport\.yaml: there is no such file;/);
});

test.each(['serve', 'check', 'explain', 'ca'])('%s --help says how it is used', async (verb) => {
  const called = run([verb, '--help']);
  expect(await called.ended).toMatchObject({ code: 0 });
  expect(called.stdout()).toMatch(new RegExp(`^Usage: sallyport ${verb}`));
});

test.each([
  ['a good answer', ['catalog', 'list'], 0],
  ['a complaint', ['check', '-c', '/nowhere/sallyport.yaml'], 2],
])('%s that nobody reads ends with the exit code of one that is read', async (_, args, code) => {
  const called = run(args);
  called.leave();
  expect(await called.ended).toEqual({ code, signal: null });
});

test.skipIf(!existsSync('/dev/full')).each([
  ['a good answer', ['catalog', 'list']],
  ['one that is JSON', ['check', '--json']],
  ['the help', ['--help']],
])('%s that finds no room where it is written to is told, and no success', async (_, args) => {
  const full = openSync('/dev/full', 'w');
  const called = run(args, { out: full });
  closeSync(full);
  expect(await called.ended).toEqual({ code: 1, signal: null });
  expect(called.stderr()).toBe('sallyport: standard output cannot be written (ENOSPC); what was to be there is not\n');
});
