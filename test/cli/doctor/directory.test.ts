import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { directories } from '../../../src/cli/doctor/directory.ts';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import type { LdapSettings } from '../../../src/config/ldap-schema.ts';
import { people, reader, slapdIsThere, startDirectory, suffix } from '../../support/directory.ts';
import type { TestDirectory } from '../../support/directory.ts';
import { closedPort } from '../../support/origins.ts';

type Search = NonNullable<LdapSettings['search']>;

function look(settings: LdapSettings, user?: string): Promise<Finding[]> {
  const authentication = {
    source: { kind: 'ldap' as const, ...settings },
    required: true,
    cache: 1,
    attempts: 10,
    attemptsWindow: 60_000,
  };
  const clients = { networks: [], authentication, userField: null, groupsField: null };
  return directories({ clients }, user);
}

function secretFile(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'doctor-directory-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'secret');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

const search: Search = { base: people, filter: '(uid={user})', userAttribute: 'uid', groupAttribute: 'memberOf' };

function settingsOf(
  { url, caFile }: Pick<TestDirectory, 'url' | 'caFile'>,
  more: Partial<LdapSettings> = {},
): LdapSettings {
  const passwordFile = secretFile(`${reader.password}\n`);
  return { urls: [url], caFile, timeout: 5_000, bindDn: reader.dn, passwordFile, search, ...more };
}

test('without a directory there is nothing to say, but to who asks for a user', async () => {
  const clients = { networks: [], authentication: null, userField: null, groupsField: null };
  expect(await directories({ clients }, undefined)).toEqual([]);
  expect(await directories({ clients }, 'ada')).toMatchObject([{ status: 'warning' }]);
});

test('a server that is not there is told with its cure; beside one that is not there either, all are', async () => {
  const urls = [`ldaps://127.0.0.1:${await closedPort()}`, `ldaps://127.0.0.1:${await closedPort()}`];
  const found = await look({
    urls,
    caFile: null,
    timeout: 2_000,
    bindDn: 'uid={user}',
    passwordFile: null,
    search: null,
  });
  expect(found).toMatchObject(
    urls.map((url) => ({
      check: 'directory',
      status: 'bad',
      says: `${url} cannot be queried: ECONNREFUSED`,
      cure: 'correct clients.authentication.ldap.url, or let it through the firewall',
    })),
  );
});

describe.skipIf(!slapdIsThere('what doctor says of a directory'))('a real directory', () => {
  test('lets the account in and shows a user with the groups that rules see', async () => {
    const directory = await startDirectory();
    const settings = settingsOf(directory);
    expect(await look(settings)).toMatchObject([
      { status: 'good', says: expect.stringContaining(`lets ${reader.dn} in and searches ${people}`) as string },
    ]);
    const [ada] = await look(settings, 'ada');
    expect(ada).toMatchObject({ status: 'good' });
    expect(ada?.says).toContain(
      `finds uid=Ada,${people}: rules know it as Ada, in upper or lower case; groups: Chip Design; `,
    );
    expect(JSON.stringify(await look(settings, 'ada'))).not.toContain(reader.password);

    const other = `ldaps://127.0.0.1:${await closedPort()}`;
    expect(await look({ ...settings, urls: [other, directory.url] })).toMatchObject([
      { status: 'warning', says: expect.stringContaining('1 other can still be queried') as string },
      { status: 'good' },
    ]);
    const byName = { bindDn: `uid={user},${people}`, passwordFile: null, search: null };
    expect(await look({ ...settings, ...byName })).toMatchObject([{ status: 'good' }]);
    const startTls = settingsOf({ url: directory.plainUrl, caFile: directory.caFile });
    expect(await look(startTls)).toMatchObject([{ status: 'good' }]);
  });

  test('says what stands in the way, where, and what to do', async () => {
    const directory = await startDirectory();
    const settings = settingsOf(directory);
    const cases: readonly (readonly [Partial<LdapSettings>, string | undefined, string, string])[] = [
      [{ passwordFile: secretFile('wrong') }, undefined, `does not let ${reader.dn} in`, 'the password in'],
      [
        { search: { ...search, base: `ou=nowhere,${suffix}` } },
        undefined,
        `does not show ou=nowhere,${suffix}`,
        '.base',
      ],
      [{ search: { ...search, filter: '(mail={user}@corp.test)' } }, 'shared', 'more than one entry', '.filter'],
      [{ search: { ...search, userAttribute: 'employeeNumber' } }, 'ada', 'has no employeeNumber', '.user_attribute'],
      [{}, 'nobody', 'finds no "nobody"', '.base or'],
      [{ caFile: null }, undefined, 'cannot be queried: ', '.ca_file'],
      [
        { urls: [directory.url.replace('127.0.0.1', 'localhost')] },
        undefined,
        'cannot be queried: ERR_TLS_CERT_ALTNAME',
        '.url',
      ],
      [{ urls: [directory.plainUrl.replace('ldap:', 'ldaps:')] }, undefined, 'cannot be queried: ', '.'],
      [{ passwordFile: '/does/not/exist' }, undefined, 'cannot be read', 'correct the file'],
    ];
    for (const [more, user, says, cure] of cases) {
      const [found] = await look({ ...settings, ...more }, user);
      expect(found).toMatchObject({ status: 'bad' });
      expect(found?.says).toContain(says);
      expect(found?.cure).toContain(cure);
    }
  });
});
