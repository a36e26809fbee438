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
  const warning = 'policy.yaml:10:12: warning: the rule "ban" ended at 2020-01-01T00:00Z; renew or remove it';
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
    warnings: [
      {
        file: 'policy.yaml',
        line: 10,
        column: 12,
        message: 'the rule "ban" ended at 2020-01-01T00:00Z; renew or remove it',
      },
    ],
  });
  const bad = await runWith({ 'policy.yaml': 'rules: 1\n' }, '--json');
  expect(bad).toMatchObject({ code: 2, err: [] });
  expect(JSON.parse(bad.out.join(''))).toEqual({
    ok: false,
    errors: ['policy.yaml:1:8: "rules" must be a list, not a number; correct it'],
    problems: [
      {
        file: expect.stringMatching(/policy\.yaml$/) as string,
        line: 1,
        column: 8,
        message: '"rules" must be a list, not a number; correct it',
      },
    ],
  });
});

const line = (facts: object): string =>
  JSON.stringify({ until: '2099-01-01T00:00:00Z', reason: 'x', created_at: '2026-01-01T00:00:00Z', ...facts });

test('warns with the place of what each warning is about, in the order of the lines', async () => {
  const { err } = await runWith({
    'sallyport.yaml': 'policy: policy.yaml\nlisten:\n  pages: 0.0.0.0:8128\npages:\n  url: http://0.0.0.0:8128\n',
    'policy.yaml': `lists:
  ads: { url: 'http://127.0.0.1:9/' }
rules:
  - id: one
    vendors: acme
    effect: deny
    reason: x
  - { id: two, vendors: acme, effect: deny, reason: x }
  - id: three
    domains:
      - fine.example
      - www.example.com
    lists: ads
    effect: deny
    reason: x
defaults: { unlisted: deny }
`,
    'vendors/empty.yaml': 'id: empty\nname: Empty\nproducts:\n  - { id: none, name: None, kind: chat, hosts: [] }\n',
    'exceptions.jsonl': [
      line({ id: 'a', vendors: ['acme'], approved_by: 'Ada', created_by: 'Ada' }),
      line({ id: 'b', vendors: ['gone'], approved_by: 'Ada', created_by: 'Ada' }),
      '',
    ].join('\n'),
  });
  expect(err.map((text) => text.replace(/: warning: (.{20}).*/, ' $1'))).toEqual([
    'exceptions.jsonl:2:1 "b": unknown vendor ',
    'sallyport.yaml:5:8 pages.url is http://',
    'policy.yaml:2:3 the list "ads" cover',
    'policy.yaml:8:5 the rule "two" never',
    'policy.yaml:12:9 the rule "three": "w',
    'policy.yaml:16:23 defaults.unlisted de',
    'vendors/empty.yaml:4:5 the product "empty/n',
  ]);
});

test('a word that belongs behind an option is told so', async () => {
  await expect(run(['extra'])).rejects.toThrow('unexpected argument "extra"');
  await expect(run(['my/sallyport.yaml'])).rejects.toThrow(
    'unexpected argument "my/sallyport.yaml"; write -c my/sallyport.yaml to use that sallyport.yaml',
  );
});

test.each([[['--nonsense']], [['extra']], [['-c']]])('wrong use: %j', async (args) => {
  await expect(run(args)).rejects.toThrow(UsageError);
});
