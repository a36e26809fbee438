import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { filesNamed } from '../../src/config/named-files.ts';

/** What is named by these two files, of which one may be left out. */
function named(settings: string, policy: string | null) {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-named-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'sallyport.yaml'), settings);
  if (policy !== null) writeFileSync(join(dir, 'policy.yaml'), policy);
  const { files, folders } = filesNamed(join(dir, 'sallyport.yaml'));
  const shown = (path: string): string => path.replace(`${dir}/`, '');
  return { files: files.map(shown), folders: folders.map(shown) };
}

const own = 'sallyport.yaml';
const listed = 'lists: { relays: { file: more/relays.txt }, far: { url: https://lists.test/far.txt } }\nrules: []';

test.each([
  ['the lists of the policy that are files', '{}', listed, [own, 'policy.yaml', 'more/relays.txt'], ['vendors']],
  ['a policy that is not there', 'policy: next.yaml', null, [own, 'next.yaml'], ['vendors']],
  ['a policy that is broken', '{}', 'rules: [', [own, 'policy.yaml'], ['vendors']],
  ['an overlay', 'vendors_overlay: mine', null, [own, 'policy.yaml'], ['vendors', 'mine']],
  [
    'a bundle and its key',
    'vendors: catalogue.json\nvendors_key: catalogue.pub',
    null,
    [own, 'policy.yaml', 'catalogue.json', 'catalogue.pub'],
    [],
  ],
  [
    'users',
    'clients: { authentication: { password_file: htpasswd } }',
    null,
    [own, 'policy.yaml', 'htpasswd'],
    ['vendors'],
  ],
  [
    'the authority of a directory',
    'clients: { authentication: { ldap: { url: ldaps://d.test, bind_dn: "uid={user},dc=test", ca_file: d.pem } } }',
    null,
    [own, 'policy.yaml', 'd.pem'],
    ['vendors'],
  ],
  ['a logo that is not there', 'pages: { company: { logo: logo.svg } }', null, [own, 'logo.svg'], []],
  ['settings that are broken', 'vendors: [', null, [own], []],
])('%s', (_, settings, policy, files, folders) => {
  expect(named(settings, policy)).toEqual({ files, folders });
});
