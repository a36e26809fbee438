import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { check } from '../../src/cli/check.ts';
import { UsageError } from '../../src/cli/verb.ts';
import { goodPolicy, makeConfig } from '../config/folder.ts';
import type { Files } from '../config/folder.ts';

interface Ran {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

async function run(args: readonly string[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line), env: {}, cwd: '.' };
  return { code: await check.run(args, io), out, err };
}

async function runWith(files: Files, ...args: readonly string[]): Promise<Ran> {
  const dir = makeConfig(files);
  try {
    const plain = (line: string): string => line.replaceAll(`${dir}/`, '');
    const { code, out, err } = await run(['-c', `${dir}/sallyport.yaml`, ...args]);
    return { code, out: out.map(plain), err: err.map(plain) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const ended = { 'policy.yaml': `${goodPolicy}    until: 2020-01-01\n` };

test('says in one line that the configuration is good', async () => {
  const { code, out, err } = await runWith({});
  expect(code).toBe(0);
  expect(err).toEqual([]);
  expect(out).toHaveLength(1);
  expect(out[0]).toMatch(
    /^policy\.yaml: ok, 1 rule, 0 exceptions, 1 group, 1 assistant, 1 vendor, 1 product, 1 host, hash [0-9a-f]{12}$/,
  );
});

test('finds the shipped configuration good', async () => {
  const { code, out } = await run([]);
  expect(code).toBe(0);
  expect(out[0]).toMatch(/^config\/policy\.yaml: ok, \d+ rules, /);
});

test('warns, and minds only when it is asked to', async () => {
  const warning = 'policy.yaml: warning: the rule "ban" ended at 2020-01-01T00:00Z; renew or remove it';
  expect(await runWith(ended)).toMatchObject({ code: 0, err: [warning] });
  expect(await runWith(ended, '--strict')).toMatchObject({ code: 1, err: [warning] });
  expect((await runWith({}, '--strict')).code).toBe(0);
});

test('prints every mistake on a line of its own and exits with 2', async () => {
  const files = { 'policy.yaml': goodPolicy.replace('effect', 'efect').replace('10.0.0.0/8', 'x') };
  expect(await runWith(files)).toEqual({
    code: 2,
    out: [],
    err: [
      'policy.yaml:4:22: "x" is not a network; write a CIDR block such as 10.0.0.0/8 or one address',
      'policy.yaml:8:5: unknown key "efect"; did you mean "effect"?',
    ],
  });
});

test('says a missing file in one line', async () => {
  expect(await run(['--config', '/nowhere/sallyport.yaml'])).toEqual({
    code: 2,
    out: [],
    err: ['/nowhere/sallyport.yaml: there is no such file; create it, or correct the path'],
  });
});

test('prints JSON on request', async () => {
  const good = await runWith(ended, '--json');
  expect(good).toMatchObject({ code: 0, err: [] });
  expect(JSON.parse(good.out.join(''))).toMatchObject({
    ok: true,
    rules: 1,
    hosts: 1,
    warnings: [{ file: 'policy.yaml', message: 'the rule "ban" ended at 2020-01-01T00:00Z; renew or remove it' }],
  });
  const bad = await runWith({ 'policy.yaml': 'rules: 1\n' }, '--json');
  expect(bad).toMatchObject({ code: 2, err: [] });
  expect(JSON.parse(bad.out.join(''))).toEqual({
    ok: false,
    errors: ['policy.yaml:1:8: "rules" must be a list, not a number; correct it'],
  });
});

test.each([[['--nonsense']], [['extra']], [['-c']]])('wrong use: %j', async (args) => {
  await expect(run(args)).rejects.toThrow(UsageError);
});
