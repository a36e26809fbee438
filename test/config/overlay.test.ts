import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { complaint, goodVendor, withConfig } from './folder.ts';
import type { Files } from './folder.ts';

const settings = { 'sallyport.yaml': 'policy: policy.yaml\nvendors_overlay: own\n' };
const said = 'role: app, source: us, confidence: own-knowledge';

function load(files: Files): Config {
  return withConfig({ ...settings, ...files }, (file) => loadConfig(file));
}

/** `vendor/product host` for each host. */
function hosts({ vendors }: Config): string[] {
  return vendors.flatMap(({ id, products }) =>
    products.flatMap((product) => product.hosts.map(({ host, match }) => `${id}/${product.id} ${match} ${host}`)),
  );
}

test('an empty overlay changes nothing', () => {
  const config = load({ 'own/README.md': 'x' });
  expect(hosts(config)).toEqual(['acme/chat suffix acme.test']);
  expect(config.catalogue.overlaid).toBe(0);
});

test('adds a vendor, products and hosts, and overrides what it names again', () => {
  const config = load({
    'own/beta.yaml': `id: beta\nname: Beta\nproducts:\n  - { id: api, name: B, kind: api, hosts: [{ suffix: beta.test, ${said} }] }\n`,
    'own/acme.yaml': `id: acme
name: Acme Two
tags: [watched]
products:
  - id: chat
    wire: openai
    hosts:
      - { exact: extra.acme.example, ${said} }
  - { id: code, name: Code, kind: coding-agent, hosts: [{ suffix: code.test, ${said} }] }
`,
  });
  expect(hosts(config)).toEqual([
    'acme/chat suffix acme.test',
    'acme/chat exact extra.acme.example',
    'acme/code suffix code.test',
    'beta/api suffix beta.test',
  ]);
  const [acme] = config.vendors;
  expect(acme).toMatchObject({ name: 'Acme Two', tags: ['maker', 'watched'] });
  expect(acme?.products[0]).toMatchObject({ name: 'Acme Chat', kind: 'chat', wire: 'openai' });
  expect(config.catalogue.overlaid).toBe(2);
  expect(config.files.filter((file) => file.includes('/own/'))).toHaveLength(2);
});

test('a host that it names belongs to it, and one that it removes to nobody', () => {
  const two = goodVendor + '      - { exact: [a.example, b.example], role: api, source: x, confidence: list }\n';
  const config = load({
    'vendors/acme.yaml': two,
    'own/acme.yaml': 'id: acme\nremove: b.example\n',
    'own/beta.yaml': `id: beta\nname: Beta\nproducts:\n  - { id: api, name: B, kind: api, hosts: [{ suffix: acme.test, ${said} }] }\n`,
  });
  expect(hosts(config)).toEqual(['acme/chat exact a.example', 'beta/api suffix acme.test']);
});

test('the examples of docs/add-a-vendor.md load over the catalogue that is shipped', () => {
  const page = readFileSync(new URL('../../docs/add-a-vendor.md', import.meta.url), 'utf8');
  const examples = Array.from(page.matchAll(/```yaml\n# my-vendors\/(\S+):.*\n([^]*?)```/g));
  expect(examples).toHaveLength(2);
  const shipped = new URL('../../config/vendors', import.meta.url).pathname;
  const config = load({
    'sallyport.yaml': `vendors: ${shipped}\nvendors_overlay: own\npolicy: policy.yaml\n`,
    'policy.yaml': '{}',
    ...Object.fromEntries(examples.map(([, name = '', text = '']) => [`own/${name}`, text])),
  });
  const known = hosts(config);
  expect(known).toContain('acme/acme-api suffix acme.example');
  expect(known).toContain('openai/chatgpt exact chat.corp.example');
  expect(known.filter((host) => host.includes('tcr9i.openai.com'))).toEqual([]);
});

test('changes the version of the catalogue', () => {
  const plain = load({ 'own/README.md': 'x' }).catalogue.version;
  expect(load({ 'own/acme.yaml': 'id: acme\ntags: [watched]\n' }).catalogue.version).not.toBe(plain);
});

describe('is refused with its line', () => {
  test.each([
    [
      'an unknown vendor without a name',
      { 'own/beta.yaml': 'id: beta\n' },
      'own/beta.yaml:1:5: "beta" is not a vendor of the catalogue; correct it, or add "name" for a new one',
    ],
    [
      'an unknown product without a kind',
      { 'own/acme.yaml': 'id: acme\nproducts:\n  - { id: chatt, hosts: [] }\n' },
      'own/acme.yaml:3:11: "chatt" is not a product of the vendor; correct it, or add "name" and "kind" for a new one',
    ],
    [
      'a removed host that is not there',
      { 'own/acme.yaml': 'id: acme\nremove: [x.example]\n' },
      'own/acme.yaml:2:10: "x.example" is not a host of the vendor; correct or remove it',
    ],
    [
      'a shared apex',
      { 'own/acme.yaml': `id: acme\nproducts:\n  - id: chat\n    hosts:\n      - { suffix: github.com, ${said} }\n` },
      'own/acme.yaml:5:19: "github.com" carries far more than this product; name the hosts below it, or list it under "shared"',
    ],
    [
      'a file under another name',
      { 'own/x.yaml': 'id: acme\n' },
      'own/x.yaml:1:5: the id "acme" does not match the file name; write x',
    ],
    [
      'an unknown key',
      { 'own/acme.yaml': 'id: acme\nremoved: x\n' },
      'own/acme.yaml:2:1: unknown key "removed"; did you mean "remove"?',
    ],
    [
      'a missing folder',
      {},
      'sallyport.yaml:2:18: own: there is no such folder; set "vendors_overlay" in sallyport.yaml to the folder with one file for each vendor',
    ],
  ])('%s', (_, files, line) => {
    expect(complaint({ ...settings, ...files })).toBe(line);
  });
});
