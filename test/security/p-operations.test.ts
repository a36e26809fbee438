/** P. What operators run: the admin port, files that are read while clients are served, and several workers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { attack, openField, testedIn } from './field.ts';

const dir = mkdtempSync(join(tmpdir(), 'sallyport-operations-'));
const token = 'sixteen-characters-of-token';
const tokenFile = join(dir, 'token');
writeFileSync(tokenFile, token, { mode: 0o600 });
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const field = openField({ settings: { admin: { token_file: tokenFile } } });

attack(
  field,
  185,
  'Tokens of the admin API, guessed one after the other: by GET, POST and DELETE, and the right one among them',
  '429 after ten wrong ones of a client in a minute, to the right one as well; one line of the log, and it names no token',
  async ({ lab }) => {
    const url = `http://127.0.0.1:${lab.addresses.admin.port}/api`;
    const ask = async (path: string, method: string, given: string | null): Promise<number> => {
      const headers = given === null ? {} : { authorization: `Bearer ${given}` };
      return (await fetch(`${url}/${path}`, { method, headers })).status;
    };
    for (let i = 0; i < 20; i += 1)
      expect(await ask('status', 'GET', i % 2 === 0 ? token : null)).toBe(i % 2 === 0 ? 200 : 401);
    const statuses: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      statuses.push(await ask('status', 'GET', `guess-${i}`));
      statuses.push(await ask('reload', 'POST', `guess-${i}`));
      statuses.push(await ask('exceptions/none', 'DELETE', `guess-${i}`));
    }
    expect(statuses).toEqual([...new Array<number>(10).fill(401), ...new Array<number>(20).fill(429)]);
    expect(await ask('status', 'GET', token)).toBe(429);
    expect(await lab.metric('sallyport_limited_total', 'limit="admin_tokens"')).toBe(21);
    const told = lab.told.filter((line) => line.includes('token'));
    expect(told).toEqual(['admin: too many wrong tokens from 127.0.0.1; it is refused for a while, whatever it sends']);
  },
);

testedIn(
  186,
  'A pipe or a device in the place of the CA, its key, its passphrase, `outbound.ca_file`, a token or a secret',
  'one line that says so: no start and no check of a password waits for ever',
  'read-whole.test.ts',
);
