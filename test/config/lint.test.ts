import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { lint } from '../../src/config/lint.ts';
import { loadConfig } from '../../src/config/load.ts';
import { goodPolicy, goodVendor, withConfig } from './folder.ts';
import type { Files } from './folder.ts';

const now = Date.parse('2026-08-01T00:00:00Z');

function warnings(files: Files, at = now): string[] {
  return withConfig(files, (file) => lint(loadConfig(file), at).map(({ message }) => message));
}

const rules = (...lines: readonly string[]): Files => ({
  'policy.yaml': `groups: { a: { networks: 10.0.0.0/8 } }\nrules:\n${lines.map((line) => `  - { reason: x, ${line} }\n`).join('')}`,
});
const exception = (until: string): Files => ({
  'policy.yaml': `${goodPolicy}exceptions: [{ id: e, vendors: acme, until: ${until}, approved_by: me, reason: x }]\n`,
});

test('the shipped configuration has no warning while its exception runs', () => {
  const shipped = fileURLToPath(new URL('../../config/sallyport.yaml', import.meta.url));
  expect(lint(loadConfig(shipped), Date.parse('2027-06-29T23:59:59Z'))).toEqual([]);
  expect(lint(loadConfig(shipped), Date.parse('2027-06-30T00:00:00Z'))).toHaveLength(1);
});

describe('warns of', () => {
  test.each<readonly [string, Files, string]>([
    [
      'an exception that ran out',
      exception('2026-08-01'),
      'the exception "e" expired at 2026-08-01T00:00Z; renew or remove it',
    ],
    [
      'a rule that ended',
      rules('id: r, vendors: acme, effect: deny, until: 2026-07-31'),
      'the rule "r" ended at 2026-07-31T00:00Z; renew or remove it',
    ],
    [
      'the same rule again',
      rules('id: r, vendors: acme, effect: deny', 'id: s, vendors: [acme], effect: deny'),
      'the rule "s" never acts: "r" comes first and covers all of it; remove one of the two',
    ],
    [
      'an allow behind the same deny',
      rules('id: r, vendors: acme, effect: deny', 'id: s, vendors: acme, effect: allow, until: 2027-01-01'),
      'the rule "s" never acts: "r" covers all of it, and deny takes precedence; remove one of the two',
    ],
    [
      'an allow in front of the same deny',
      rules('id: r, vendors: acme, effect: allow', 'id: s, vendors: acme, effect: deny'),
      'the rule "r" never acts: "s" covers all of it, and deny takes precedence; remove one of the two',
    ],
    [
      'a rule about less, behind one about more',
      rules(
        'id: r, domains: [a.test, acme.test], effect: allow',
        'id: s, domains: acme.test, effect: allow, groups: a',
        'id: t, domains: acme.test, channels: direct, effect: allow',
      ),
      'the rule "t" never acts: "r" comes first and covers all of it; remove one of the two',
    ],
    [
      'the hours of a rule that always holds',
      rules('id: r, vendors: acme, effect: deny', 'id: s, vendors: acme, windows: daily 08:00-09:00, effect: monitor'),
      'the rule "s" never acts: "r" covers all of it, and deny takes precedence; remove one of the two',
    ],
    [
      'two sites with one network',
      {
        'policy.yaml': 'sites: { s: { networks: 10.1.0.0/24 }, t: { networks: [10.2.0.0/24, 10.1.0.0/24] } }',
      },
      'the site "t" has the network 10.1.0.0/24, which is that of the site "s": its clients are at both; correct one of the two',
    ],
    [
      'a risk class that is in no channel of the rule',
      {
        'policy.yaml':
          'risk_classes: { high: { vendors: acme } }\nrules: [{ id: r, risks: high, channels: reseller, effect: deny, reason: x }]',
      },
      'the rule "r" can match no host of the catalogue: everything that it names must hold at once; correct or remove it',
    ],
    [
      'a rule that nothing can match',
      rules('id: r, vendors: acme, channels: reseller, effect: deny'),
      'the rule "r" can match no host of the catalogue: everything that it names must hold at once; correct or remove it',
    ],
    [
      'a product without hosts',
      { 'vendors/acme.yaml': `${goodVendor}  - { id: api, name: API, kind: api, hosts: [] }\n` },
      'the product "acme/api" has no hosts, so it matches nothing; add some',
    ],
    [
      'a vendor without products',
      {
        'policy.yaml': '{}',
        'vendors/acme.yaml': 'id: acme\nname: Acme\nowner: Acme\ncountry: GB\nproducts: []\n',
      },
      'the vendor "acme" has no products, so it matches no host; add some',
    ],
    [
      'pages under an address that no browser can open',
      { 'sallyport.yaml': 'listen: { pages: 0.0.0.0:8128 }' },
      'pages.url is http://0.0.0.0:8128, which no browser can open; set it to the name by which people reach 0.0.0.0',
    ],
  ])('%s', (_, files, message) => {
    expect(warnings(files)).toEqual([message]);
  });
});

const lists = (...lines: readonly string[]): Files => ({
  'policy.yaml': `lists: { a: { url: 'http://a.test/' }, b: { url: 'http://b.test/' } }\nrules:\n${lines.map((line) => `  - { effect: deny, reason: x, ${line} }\n`).join('')}`,
});

test('a rule about a list and more covers one about the list', () => {
  expect(warnings(lists('id: r, lists: [a, b], domains: c.test', 'id: s, lists: a'))).toEqual([
    'the rule "s" never acts: "r" comes first and covers all of it; remove one of the two',
  ]);
});

describe('is silent about', () => {
  test.each<readonly [string, Files]>([
    ['two lists', lists('id: r, lists: a', 'id: s, lists: b')],
    ['a list behind one of its domains', lists('id: r, domains: c.test', 'id: s, domains: c.test, lists: b')],
    ['an exception that still runs', exception('2026-08-01T00:00:01Z')],
    [
      'a rule that another took over from',
      rules(
        'id: r, vendors: acme, effect: monitor, until: 2026-07-10',
        'id: s, vendors: acme, effect: deny, from: 2026-07-10',
      ),
    ],
    [
      'the same subject for another group',
      rules('id: r, vendors: acme, effect: deny', 'id: s, vendors: acme, effect: deny, groups: a'),
    ],
    [
      'the same subject for longer',
      rules('id: r, vendors: acme, effect: deny, until: 2027-01-01', 'id: s, vendors: acme, effect: deny'),
    ],
    [
      'the same subject in other hours',
      rules('id: r, vendors: acme, windows: sat, effect: deny', 'id: s, vendors: acme, windows: sun, effect: deny'),
    ],
    [
      'the same subject at a site of a group',
      {
        'policy.yaml':
          'groups: { a: { networks: 10.9.0.0/16 } }\nsites: { b: { networks: 10.0.0.0/8 } }\nrules: [{ id: r, vendors: acme, groups: a, effect: deny, reason: x }, { id: s, vendors: acme, groups: a, sites: b, effect: allow, reason: x }]',
      },
    ],
    [
      'all but what is allowed',
      {
        'policy.yaml': 'defaults: { unlisted: deny }\nrules: [{ id: r, domains: corp.test, effect: allow, reason: x }]',
      },
    ],
    [
      'a risk class',
      {
        'policy.yaml':
          'risk_classes: { high: { tags: maker } }\nrules: [{ id: r, risks: high, effect: deny, reason: x }]',
      },
    ],
    ['a rule about domains only', rules('id: r, domains: other.test, effect: deny')],
    ['a tag of a product', rules('id: r, tags: maker, channels: [direct, cloud], effect: deny')],
  ])('%s', (_, files) => {
    expect(warnings(files)).toEqual([]);
  });
});

test('a rule about a maker can match the clouds that resell its models', () => {
  const cloud = (id: string, more: string): string =>
    `id: ${id}\nname: Cloud\nproducts:\n  - id: resale\n    name: Resale\n    kind: cloud-resale\n    channel: cloud\n    ${more}\n    hosts: [{ suffix: ${id}.test, role: api, source: x, confidence: list }]\n`;
  const rule = rules('id: r, vendors: acme, channels: cloud, effect: deny');
  const path = "model: { by: path, paths: [{ path: '/{maker}/**', makers: { acme-ai: acme } }] }";
  for (const more of ['model: acme', 'operator: acme', path]) {
    expect(warnings({ ...rule, 'vendors/cloud.yaml': cloud('cloud', more) })).toEqual([]);
  }
  expect(warnings({ ...rule, 'vendors/cloud.yaml': cloud('cloud', 'model: { by: body }') })).toHaveLength(1);
});

test('a rule about a list is no rule about everything', () => {
  const policy = 'lists: { a: { url: "http://a.test/" } }\nrules: [{ id: r, lists: a, effect: deny, reason: x }]\n';
  const shipped = fileURLToPath(new URL('../../config/vendors', import.meta.url));
  const files = { 'sallyport.yaml': `policy: policy.yaml\nvendors: ${shipped}\n`, 'policy.yaml': policy };
  expect(warnings(files)).toEqual([]);
});
