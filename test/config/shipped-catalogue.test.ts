/** The catalogue that ships, by tables: every host that its sources name, in forms they do not write, and strangers. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cataloguePage } from '../../src/config/catalogue-page.ts';
import { lintVendors } from '../../src/config/catalogue-lint.ts';
import { namesOf, unknownVendor } from '../../src/config/references.ts';
import { readPlainYaml, readYaml } from '../../src/config/yaml.ts';
import { parseUrl } from '../../src/listen/target.ts';
import { find, folder, serviceOf, sources, table } from '../support/shipped-catalogue.ts';

const hosts = table('catalogue-hosts.txt');
const forms = table('catalogue-forms.txt');
const urls = table('catalogue-urls.txt');
const strangers = table('catalogue-negatives.txt');

test('the tables are as large as they are meant to be', () => {
  expect(hosts.length + forms.length).toBeGreaterThan(1300);
  expect(strangers.length).toBeGreaterThan(600);
});

describe('every known host belongs to its product', () => {
  test.each(hosts)('%s: %s', (host, product) => {
    expect(serviceOf(host)).toBe(product);
  });
});

describe('so does it in other forms', () => {
  test.each(forms)('%s: %s', (host, product) => {
    expect(serviceOf(host)).toBe(product);
  });
});

describe('a URL belongs to its product, and to whose model answers', () => {
  test.each(urls)('%s: %s, model of %s', (url, product, maker) => {
    const { target, path } = parseUrl(url);
    const service = find(target.host, path);
    expect(`${service?.vendor ?? ''}/${service?.product ?? ''}`).toBe(product);
    const { vendor, model = vendor } = service ?? {};
    expect(model ?? '-').toBe(maker);
  });
});

test('case and a trailing dot make no difference', () => {
  for (const [host = '', product] of hosts) {
    expect([host, serviceOf(host.toUpperCase()), serviceOf(`${host}.`)]).toEqual([host, product, product]);
  }
});

test('a name that only ends or begins like a known one is a stranger', () => {
  for (const [host = ''] of hosts) {
    expect([host, serviceOf(`${host}.evil.example`), serviceOf(`${host.replaceAll('.', '-')}.example`)]).toEqual([
      host,
      null,
      null,
    ]);
  }
  const names = new Set(hosts.map(([host]) => host));
  for (const [host = '', product = ''] of hosts.filter(([name = '']) => name.split('.').length === 2)) {
    const alike = `zq${host}`;
    if (!names.has(alike)) expect([product, serviceOf(alike)]).toEqual([product, null]);
  }
});

describe('a stranger stays one', () => {
  test.each(strangers)('%s', (host) => {
    expect(serviceOf(host)).toBeNull();
  });
});

const noPolicy = { groups: {}, assistants: [] } as unknown as Parameters<typeof namesOf>[0];
const names = namesOf(
  noPolicy,
  sources.map(({ vendor }) => vendor),
);

test.each([
  ['Claude', '"anthropic"'],
  ['chatgpt', '"openai"'],
  ['copilot', '"github-copilot" or "microsoft"'],
  ['m365', '"microsoft"'],
  ['lechat', '"mistral"'],
  ['llama', '"meta"'],
  ['deepmind', '"google"'],
  ['x', '"xai"'],
  ['hf', '"huggingface"'],
])('a policy that names "%s" is pointed to %s', (word, ids) => {
  expect(unknownVendor(word, names)).toBe(`unknown vendor "${word}"; did you mean ${ids}?`);
});

test('no other name of a vendor is the id of one', () => {
  const ids = new Set(sources.map(({ vendor }) => vendor.id));
  expect([...names.aliases.keys()].filter((alias) => ids.has(alias))).toEqual([]);
});

test('the guards find nothing', () => {
  expect(lintVendors(sources)).toEqual([]);
});

test('every file is within the part of YAML that is read quickly, and means the same in all of it', () => {
  for (const name of readdirSync(folder)) {
    const file = `${folder}/${name}`;
    expect(readPlainYaml(file).value).toEqual(readYaml(file).value);
  }
});

test('the page of the catalogue is up to date; `sallyport catalog page > docs/catalogue.md` writes it', () => {
  const text = readFileSync('docs/catalogue.md', 'utf8');
  expect(text).toBe(cataloguePage(sources.map(({ vendor }) => vendor)));
});
