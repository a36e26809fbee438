/** Whether docs/admin.md has what a running proxy has: every path with its methods, and whether it asks for a token. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLab } from '../support/lab.ts';
import type { Lab } from '../support/lab.ts';

const page = readFileSync(new URL('../../docs/admin.md', import.meta.url), 'utf8');
const rows = Array.from(
  page.matchAll(/^\| `([A-Z]+)` +\| `(\/\S+)` +\| .+ \| (yes|no) +\| ([\d, ]+)\|$/gm),
  ([, method = '', path = '', token, codes = '']) => ({ method, path, token: token === 'yes', codes }),
);

const tokenFile = join(tmpdir(), `sallyport-token-${process.pid}`);
let lab: Lab;
beforeAll(async () => {
  writeFileSync(tokenFile, 'a-token-of-some-length-and-more\n', { mode: 0o600 });
  lab = await startLab({ policy: '{}', settings: { admin: { token_file: tokenFile } } });
});
afterAll(async () => {
  rmSync(tokenFile);
  await lab.close();
});

const ask = (path: string, method = 'GET'): Promise<Response> =>
  fetch(`http://127.0.0.1:${lab.addresses.admin.port}${path}`, { method });

test('every path is there, by each of its methods, and no other', async () => {
  const { error } = (await (await ask('/none')).json()) as { error: string };
  const [first = '', ...others] = error
    .replace(/^There is nothing here\. Available: /, '')
    .replace(/\.$/, '')
    .split('; ');
  const there = [`for GET ${first}`, ...others].flatMap((part) => {
    const [, method = '', paths = ''] = /^for ([A-Z]+) (.*)$/.exec(part) ?? [];
    return paths.split(', ').map((path) => `${method} ${path}`);
  });
  expect(rows.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(there.toSorted());
});

test.each(rows)('$method $path: token $token', async ({ method, path, token, codes }) => {
  const answer = await ask(path, method);
  if (token) expect(answer.status).toBe(401);
  else expect(codes.split(', ').map(Number)).toContain(answer.status);
});
