import { describe, expect, test } from 'vitest';
import { complaint, goodVendor } from './folder.ts';
import type { Files } from './folder.ts';

type Case = readonly [name: string, files: Files, line: string];

const broken: readonly Case[] = [
  [
    'a missing policy',
    { 'policy.yaml': null },
    'sallyport.yaml:1:9: policy.yaml: there is no such file; create it, or correct the path',
  ],
  [
    'a missing policy that no line names',
    { 'sallyport.yaml': '{}', 'policy.yaml': null },
    'policy.yaml: there is no such file; create it, or correct the path',
  ],
  [
    'a vendors folder that is not where a line says',
    { 'sallyport.yaml': 'policy: policy.yaml\nvendors: elsewhere\n' },
    'sallyport.yaml:2:10: elsewhere: there is no such folder; set "vendors" in sallyport.yaml to the folder with one file for each vendor',
  ],
  [
    'a missing file of passwords',
    { 'sallyport.yaml': 'clients:\n  authentication: { password_file: users }\n' },
    'sallyport.yaml:2:36: users: there is no such file; create it, or correct the path',
  ],
  [
    'a missing vendors folder',
    { 'vendors/acme.yaml': null },
    'vendors: there is no such folder; set "vendors" in sallyport.yaml to the folder with one file for each vendor',
  ],
  [
    'a vendor file with another ending',
    { 'vendors/foo.yml': 'a: b' },
    'vendors/foo.yml: vendor files end in .yaml; rename it to foo.yaml',
  ],
  ['a folder as policy', { 'sallyport.yaml': 'policy: vendors\n' }, 'vendors: this is a folder; name the file in it'],
  [
    'a file as vendors folder',
    { 'sallyport.yaml': 'vendors: policy.yaml\n' },
    'policy.yaml: this is not a folder; set "vendors" in sallyport.yaml to the folder with one file for each vendor',
  ],
  [
    'a host in two files',
    { 'vendors/beta.yaml': goodVendor.replace('id: acme', 'id: beta') },
    'vendors/beta.yaml:12:19: the host "acme.test" is already listed in vendors/acme.yaml:12; keep one',
  ],
  [
    'an id that is not the file name',
    { 'vendors/beta.yaml': goodVendor },
    'vendors/beta.yaml:1:5: the id "acme" does not match the file name; write beta (and 1 more)',
  ],
  [
    'a shared apex',
    { 'vendors/acme.yaml': goodVendor.replace('acme.test', 'googleapis.com') },
    'vendors/acme.yaml:12:19: "googleapis.com" carries far more than this product; name the hosts below it, or list it under "shared"',
  ],
  [
    'a top-level domain',
    { 'vendors/acme.yaml': goodVendor.replace('acme.test', 'com') },
    'vendors/acme.yaml:12:19: "com" is a whole top-level domain; name the hosts',
  ],
  [
    'a suffix above a shared apex',
    { 'vendors/acme.yaml': goodVendor.replace('acme.test', 'goo.gl') },
    'vendors/acme.yaml:12:19: "goo.gl" would take app.goo.gl with it; name the hosts, or use "exact"',
  ],
  [
    'an address as host',
    { 'vendors/acme.yaml': goodVendor.replace('acme.test', '10.0.0.1') },
    'vendors/acme.yaml:12:19: "10.0.0.1" is an address; write a host name',
  ],
  [
    'an entry without host',
    { 'vendors/acme.yaml': goodVendor.replace('suffix: acme.test, ', '') },
    'vendors/acme.yaml:12:9: a host entry names no host; add "suffix", "exact" or "template"',
  ],
  [
    'an entry without source',
    { 'vendors/acme.yaml': goodVendor.replace('source: its site, ', '') },
    'vendors/acme.yaml:12:9: "source" is missing; add it',
  ],
  [
    'an unknown role',
    { 'vendors/acme.yaml': goodVendor.replace('role: app', 'role: apps') },
    'vendors/acme.yaml:12:36: "role" must be one of app, api, auth, cdn, usercontent, update, telemetry, portal, mcp, ws, voice, staging, docs, shortlink, government, internal, control-plane, hub, not "apps"; did you mean "app"?',
  ],
  [
    'a day that is none',
    { 'vendors/acme.yaml': goodVendor.replace('2026-07-10', '2026-13-10') },
    'vendors/acme.yaml:12:90: "2026-13-10" is not a calendar date; correct it',
  ],
  [
    'a host both owned and shared',
    { 'vendors/acme.yaml': goodVendor + 'shared:\n  - { host: acme.test, why: x, source: y, confidence: list }\n' },
    'vendors/acme.yaml:12:19: "acme.test" is listed as shared in vendors/acme.yaml:14; keep one of the two',
  ],
  [
    'a product twice',
    { 'vendors/acme.yaml': goodVendor + '  - { id: chat, name: X, kind: chat, hosts: [] }\n' },
    'vendors/acme.yaml:13:11: the product "chat" is listed twice; rename one',
  ],
];

describe('the vendors folder is refused with its line', () => {
  test.each(broken)('%s', (_, files, line) => {
    expect(complaint(files)).toBe(line);
  });
});

test.each([
  ['an exact entry below a suffix', 'suffix: [acme.test, chat.acme.example]', 'exact: [api.acme.test]'],
  ['a host below a shared apex', 'suffix: acme.aliyuncs.com', 'exact: acme.s3.amazonaws.com'],
  ['only the apex of a shared tree, exactly', 'suffix: acme.test', 'exact: goo.gl'],
])('%s is fine', (_, first, second) => {
  const entry = (what: string): string => `      - { ${what}, role: api, source: x, confidence: list }\n`;
  const text = goodVendor.slice(0, goodVendor.indexOf('      - {')) + entry(first) + entry(second);
  expect(complaint({ 'vendors/acme.yaml': text })).toBeNull();
});

test('hidden files and notes in the folder are left alone', () => {
  const files = { 'vendors/.acme.yaml.swp': 'x: [', 'vendors/README.md': '# x' };
  expect(complaint(files)).toBeNull();
});
