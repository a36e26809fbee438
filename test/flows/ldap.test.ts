/** Passwords that a directory knows, on the whole product with a real directory and real clients. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { curl } from '../support/curl.ts';
import { people, reader, slapdIsThere, startDirectory, suffix, type TestDirectory } from '../support/directory.ts';
import { labPolicy, startLab, writeConfig, type Lab, type LogLine } from '../support/lab.ts';
import { basic } from '../support/passwords.ts';
import { procIsThere } from '../support/product.ts';
import { exchange, httpOrigin } from '../support/streams.ts';
import { connectHead } from '../support/tunnels.ts';
import { by, serveByTurns, workersOf } from '../support/workers.ts';

const checked = slapdIsThere('passwords that a directory (LDAP) knows');
const several = procIsThere('several workers');

type Line = LogLine & { readonly user?: { readonly name: string } };

const users = (lab: Lab): (string | undefined)[] => (lab.lines() as Line[]).map(({ user }) => user?.name);

async function ask(port: number, user: string, password: string): Promise<string> {
  const answer = await exchange(
    port,
    connectHead('refused.test:443', `Proxy-Authorization: ${basic(user, password)}\r\n`),
  );
  return answer.slice(9, 12);
}

async function lab(ldap: object, more: object = {}, policy = labPolicy): Promise<Lab> {
  const settings = { clients: { authentication: { ldap, ...more } } };
  const started = await startLab({ policy, settings });
  onTestFinished(() => started.close());
  return started;
}

const direct = ({ url, caFile }: TestDirectory) => ({ url, ca_file: caFile, bind_dn: `uid={user},${people}` });

function searching({ url, caFile }: TestDirectory) {
  const password = join(writeConfig(), '../reader.pass');
  writeFileSync(password, `${reader.password}\n`, { mode: 0o600 });
  const search = { base: suffix, filter: '(uid={user})', group_attribute: 'memberOf' };
  return { url, ca_file: caFile, bind_dn: reader.dn, password_file: password, ...search };
}

test.runIf(checked)('who can bind gets through with curl, and is the user of the line', async () => {
  const at = await lab(direct(await startDirectory()));
  const origin = await httpOrigin((_req, res) => res.end('hi'));
  const url = `http://127.0.0.1:${origin.port}/`;
  expect((await curl('-x', at.proxyUrl, '-U', 'bob:bob-secret', url)).out).toBe('hi');
  expect((await curl('-x', at.proxyUrl, '-U', 'bob:bob-secret', '--proxytunnel', url)).out).toBe('hi');
  expect(await ask(at.proxyPort, 'bob', 'planted')).toBe('407');
  expect(await ask(at.proxyPort, 'bob', '')).toBe('407');
  expect(await ask(at.proxyPort, 'mallory', 'mallory-secret')).toBe('407');
  await expect.poll(() => users(at)).toEqual(['bob', 'bob', undefined, undefined, undefined]);
  const all = [JSON.stringify(at.lines()), await at.metrics(), ...at.told].join('\n');
  for (const secret of ['planted', 'bob-secret', basic('bob').slice(6)]) expect(all).not.toContain(secret);
});

test.runIf(checked)('rules know the user by the name in the directory, and the groups there', async () => {
  const policy = labPolicy
    .replace('rules:', 'groups:\n  design: { forwarded: Chip Design }\n  ada: { users: Ada }\nrules:')
    .replace(
      '{ id: refused,',
      `{ id: design-ban, domains: chips.test, groups: design, effect: deny, manner: refuse, reason: Chips. }
  - { id: ada-ban, domains: ada.test, groups: ada, effect: deny, manner: refuse, reason: Ada. }
  - { id: refused,`,
    );
  const at = await lab(searching(await startDirectory()), {}, policy);
  const rule = async (user: string, host: string): Promise<string | undefined> => {
    const field = `Proxy-Authorization: ${basic(user.toLowerCase(), `${user}-secret`)}\r\n`;
    const answer = await exchange(at.proxyPort, connectHead(`${host}:443`, field));
    return /(design|ada)-ban/.exec(answer)?.[0];
  };
  expect([await rule('Ada', 'chips.test'), await rule('Ada', 'ada.test')]).toEqual(['design-ban', 'ada-ban']);
  expect([await rule('bob', 'chips.test'), await rule('bob', 'ada.test')]).toEqual([undefined, undefined]);
});

test.runIf(checked)(
  'while the directory is down nobody new gets in, and it is answered, counted and told',
  async () => {
    const directory = await startDirectory();
    const at = await lab(direct(directory));
    expect(await ask(at.proxyPort, 'bob', 'bob-secret')).toBe('403');
    await directory.stop();
    expect(await ask(at.proxyPort, 'bob', 'bob-secret')).toBe('403');
    expect(await ask(at.proxyPort, 'cid', 'cid-secret')).toBe('503');
    expect(await ask(at.proxyPort, 'cid', 'wrong')).toBe('503');
    await expect
      .poll(() => at.lines().map(({ sallyport }) => sallyport['error']))
      .toEqual([undefined, undefined, 'authentication_unavailable', 'authentication_unavailable']);
    expect(await at.metric('sallyport_authentications_total', 'result="unavailable"')).toBe(2);
    const told = at.told.filter((line) => line.includes('passwords cannot be checked'));
    expect(told).toEqual([
      `passwords cannot be checked by ${directory.url}: ECONNREFUSED; correct clients.authentication.ldap`,
    ]);
    await directory.start();
    expect(await ask(at.proxyPort, 'cid', 'cid-secret')).toBe('403');
  },
);

test.runIf(checked)('guesses end in 429, however the name is written, and verdicts are remembered', async () => {
  const at = await lab(direct(await startDirectory()), { attempts: 3 });
  const codes = [];
  for (const [i, user] of ['cid', 'CID', 'Cid', 'cid', ' ciD'].entries())
    codes.push(await ask(at.proxyPort, user, `guess ${i}`));
  expect(codes).toEqual(['407', '407', '407', '429', '429']);
});

test.runIf(checked)('the password of who searches may change; a file that others can read is not used', async () => {
  const settings = searching(await startDirectory());
  const at = await lab(settings);
  expect(await ask(at.proxyPort, 'bob', 'bob-secret')).toBe('403');
  writeFileSync(settings.password_file, 'old');
  expect(await ask(at.proxyPort, 'cid', 'cid-secret')).toBe('503');
  writeFileSync(settings.password_file, reader.password);
  expect(await ask(at.proxyPort, 'cid', 'cid-secret')).toBe('403');
  chmodSync(settings.password_file, 0o644);
  expect(await ask(at.proxyPort, 'Ada', 'Ada-secret')).toBe('503');
  expect(at.told.join('\n')).toContain(`run "chmod 600 ${settings.password_file}"`);
});

test.runIf(checked)('a reload brings another directory, and one with a mistake leaves the old', async () => {
  const directory = await startDirectory();
  const at = await lab(direct(directory));
  const text = readFileSync(at.file, 'utf8');
  writeFileSync(at.file, text.replace(directory.caFile, at.file));
  expect(at.gateway.reload()).toBe(false);
  expect(at.told.join('\n')).toContain('holds no certificate in PEM form; correct clients.authentication.ldap.ca_file');
  expect(await ask(at.proxyPort, 'bob', 'bob-secret')).toBe('403');
  writeFileSync(at.file, text.replace(`uid={user},${people}`, `cn={user},ou=nobody,${suffix}`));
  expect(at.gateway.reload()).toBe(true);
  expect(await ask(at.proxyPort, 'bob', 'bob-secret')).toBe('407');
});

test.runIf(checked && several)('each of several workers asks the directory', async () => {
  const ldap = direct(await startDirectory());
  const product = await serveByTurns({ settings: { workers: 2, clients: { authentication: { ldap } } } });
  for (const worker of workersOf(product)) {
    const codes = await by(product, worker, async () => [
      await ask(product.proxyPort, 'bob', 'bob-secret'),
      await ask(product.proxyPort, 'bob', 'wrong'),
    ]);
    expect(codes).toEqual(['403', '407']);
  }
});
