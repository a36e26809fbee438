import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { catalog } from '../../src/cli/catalog.ts';
import { UsageError } from '../../src/cli/verb.ts';
import { goodVendor, makeConfig } from '../config/folder.ts';

let dir = '';
beforeEach(() => (dir = makeConfig({})));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(...args: readonly string[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line), env: {}, cwd: dir };
  const code = await catalog.run([...args, '-c', 'sallyport.yaml'], io);
  const plain = (lines: readonly string[]): string => lines.join('\n').replaceAll(`${dir}/`, '');
  return { code, out: plain(out), err: plain(err) };
}

function write(name: string, text: string): void {
  writeFileSync(`${dir}/${name}`, text);
}

test('lists the vendors and the version of the whole', async () => {
  const { code, out } = await run('list');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^acme +GB {2}chat \(chat, 1\)\n1 vendor, version [0-9a-f]{12}, last checked 2026-07-10, 0 overlaid$/,
  );
  expect(JSON.parse((await run('list', '--json')).out)).toMatchObject({
    checked: '2026-07-10',
    vendors: [{ id: 'acme', country: 'GB', products: [{ id: 'chat', kind: 'chat', hosts: 1 }] }],
  });
});

test('shows a vendor by its id or another name', async () => {
  const { out } = await run('show', 'acme-chat');
  expect(out).toContain('acme: Acme, Acme Ltd, GB; maker');
  expect(out).toMatch(/\*\.acme\.test +app +verified \(its site\)/);
  expect(JSON.parse((await run('show', 'acme', '--json')).out)).toMatchObject({ id: 'acme' });
});

test('asks which one is meant if several vendors have that other name', async () => {
  write('vendors/ajax.yaml', goodVendor.replace('id: acme', 'id: ajax').replace('acme.test', 'ajax.test'));
  await expect(run('show', 'acme-chat')).rejects.toThrow(
    'several vendors are called "acme-chat": acme, ajax; name one of them',
  );
});

test('says that the catalogue is good, or what is wrong with it', async () => {
  expect(await run('lint')).toMatchObject({
    code: 0,
    err: '',
    out: expect.stringMatching(/1 vendor, .*: no errors$/) as unknown,
  });
  write('vendors/acme.yaml', goodVendor.replace('acme.test', 'co.uk'));
  const line = 'vendors/acme.yaml:12:19: "co.uk" is a public suffix, under which anyone can register; name the hosts';
  expect(await run('lint')).toEqual({ code: 1, out: '', err: line });
  expect(JSON.parse((await run('lint', '--json')).out)).toEqual({ ok: false, errors: [line], notes: [] });
  write('vendors/acme.yaml', goodVendor.replace('country: GB', 'country: gb'));
  expect(await run('lint')).toMatchObject({ code: 1, err: expect.stringMatching(/two capital letters/) as unknown });
});

test('the shipped catalogue is good', async () => {
  const io = { out: () => undefined, err: (line: string) => expect(line).toBe(''), env: {}, cwd: '.' };
  expect(await catalog.run(['lint', '-c', 'config/sallyport.yaml'], io)).toBe(0);
});

test('tells what changed', async () => {
  mkdirSync(`${dir}/new`);
  write(
    'new/acme.yaml',
    goodVendor.replace('id: chat', 'id: talk') + `      - { exact: b.test, role: api, source: x, confidence: list }\n`,
  );
  const { code, out } = await run('diff', 'vendors', 'new');
  expect(code).toBe(1);
  expect(out.split('\n')).toEqual([
    '+ product acme/talk',
    '- product acme/chat',
    '+ host b.test (acme/talk)',
    '~ host *.acme.test (acme/chat to acme/talk)',
  ]);
  expect(await run('diff', 'vendors', 'vendors')).toEqual({ code: 0, out: 'no difference', err: '' });
  expect(JSON.parse((await run('diff', 'new', 'vendors', '--json')).out)).toMatchObject({
    hosts: { removed: [{ host: 'b.test', from: 'acme/talk' }] },
  });
});

test('makes a signed bundle that can be compared and loaded', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  write('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  write('key.pub', publicKey.export({ type: 'spki', format: 'pem' }).toString());
  expect(await run('bundle', '--key', 'key.pem', '--out', 'catalogue.json')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^catalogue\.json: 1 vendor, version [0-9a-f]{12}$/) as unknown,
  });
  expect(await run('diff', 'vendors', 'catalogue.json', '--key', 'key.pub')).toMatchObject({ code: 0 });
  write('sallyport.yaml', 'vendors: catalogue.json\nvendors_key: key.pub\n');
  expect((await run('list')).out).toMatch(/^acme /);
});

test('imports a list behind the guards', async () => {
  write('list.txt', 'domain:beta.test\nfull:api.beta.example\nacme.test\ngithub.com\nco.uk\nkeyword:beta\n');
  const { code, out, err } = await run('import', 'list.txt', '--vendor', 'beta', '--name', 'Beta', '--kind', 'chat');
  expect(code).toBe(0);
  expect(err.split('\n')).toEqual([
    'list.txt:3: left out "acme.test": already a host of acme',
    expect.stringMatching(/^list\.txt:4: left out "github\.com": "github\.com" carries far more/),
    'list.txt:5: left out "co.uk": a public suffix, under which anyone can register',
    expect.stringMatching(/^list\.txt:6: left out "keyword:beta": a keyword/),
  ]);
  write('vendors/beta.yaml', `${out}\n`);
  expect((await run('lint')).err).toBe('');
  expect((await run('list')).out).toMatch(/^beta +-- {2}app \(chat, 2\)$/m);
  expect(out).toContain("source: 'list.txt'");
  expect(await run('import', 'list.txt', '--vendor', 'beta')).toMatchObject({ code: 1, out: '' });
});

test('prints the schema of a vendor file', async () => {
  expect(JSON.parse((await run('schema')).out)).toMatchObject({ type: 'object', required: ['id', 'name', 'products'] });
});

describe('wrong use', () => {
  test.each([
    [[], /name an action: list, show/],
    [['lst'], /unknown action "lst"; did you mean "list"\?/],
    [['show'], /name a vendor/],
    [['show', 'acmee'], /unknown vendor "acmee"; did you mean "acme"\?/],
    [['diff', 'vendors'], /name two folders/],
    [['import', 'x.txt'], /name a file and the vendor/],
    [
      ['import', 'none.txt', '--vendor', 'A B'],
      /--vendor "A B": an id has at most 63 characters, only a-z, .*; --name has what people read/,
    ],
    [['import', 'none.txt', '--vendor', 'a', '--kind', 'chatt'], /--kind "chatt"; did you mean "chat"\?/],
    [['import', 'none.txt', '--vendor', 'x'], /"none\.txt" cannot be read/],
    [['bundle'], /name the private key/],
    [['list', 'extra'], /unexpected argument "extra"/],
    [['list', '--nonsense'], /nonsense/],
  ])('%j', async (args, reason) => {
    await expect(run(...args)).rejects.toThrow(UsageError);
    await expect(run(...args)).rejects.toThrow(reason);
  });
});
