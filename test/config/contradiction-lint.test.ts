import { describe, expect, test } from 'vitest';
import { lint, placedWarnings } from '../../src/config/lint.ts';
import { loadConfig } from '../../src/config/load.ts';
import { withConfig } from './folder.ts';

const now = Date.parse('2026-08-01T00:00:00Z');

const rival = `id: rival
name: Rival
products:
  - id: chat
    name: Rival Chat
    kind: chat
    hosts:
      - { suffix: [rival.test, rival.example], role: app, source: x, confidence: list }
  - id: resale
    name: Resale
    kind: cloud-resale
    channel: cloud
    model: acme
    hosts: [{ template: 'models.{region}.cloud.test', role: api, source: x, confidence: list }]
`;

const people = `groups:
  a: { networks: [10.1.0.0/16, 'fd00:1::/32'] }
  b: { networks: 10.2.0.0/16 }
  named: { networks: 10.9.0.0/16, users: ada }
sites:
  s: { networks: 10.1.5.0/24 }
  t: { networks: [10.8.0.0/16, 'fd00:1:2::/48'] }
`;

function warnings(...rules: readonly string[]): string[] {
  const text = `${people}rules:\n${rules.map((rule, i) => `  - { id: r${i}, ${rule}, effect: deny, reason: x }\n`).join('')}`;
  const settings = 'policy: policy.yaml\nclients: { user_field: { name: X-User, trusted: [127.0.0.1] } }\n';
  return withConfig({ 'sallyport.yaml': settings, 'policy.yaml': text, 'vendors/rival.yaml': rival }, (file) =>
    placedWarnings(lint(loadConfig(file), now)).map(
      ({ position, message }) => `${position?.line ?? 0}:${position?.column ?? 0} ${message}`,
    ),
  );
}

describe('a domain beside a vendor, which must both hold', () => {
  test('is another vendor’s', () => {
    expect(warnings('vendors: acme, domains: [acme.test, rival.test]')).toEqual([
      `9:51 the rule "r0": "rival.test" is a host of rival/chat, but the rule's "vendors" must hold as well, so the domain matches nothing; give it a rule of its own`,
    ]);
  });

  test('is in no catalogue', () => {
    expect(warnings('vendors: acme, tags: maker, domains: gateway.corp.example')).toEqual([
      `9:52 the rule "r0": "gateway.corp.example" is no host of the catalogue, but the rule's "vendors" and "tags" must hold as well, so the domain matches nothing; give it a rule of its own`,
    ]);
  });

  test('has hosts of another vendor below it', () => {
    expect(warnings('products: acme/chat, domains: example')).toEqual([
      expect.stringContaining(
        '"example" has hosts of rival/chat below it, but the rule\'s "products" must hold as well',
      ),
    ]);
  });

  test.each([
    ['is one of its hosts', 'vendors: acme, domains: acme.test'],
    ['lies below one', 'vendors: acme, domains: api.acme.test'],
    ['only the name itself, below one', 'vendors: acme, domains: =api.acme.test'],
    ['lies above one', 'vendors: rival, domains: test'],
    ['resells its model', 'vendors: acme, domains: cloud.test'],
    ['resells its model, by its full name', 'vendors: acme, domains: models.eu-1.cloud.test'],
    ['is an address', 'vendors: acme, domains: 203.0.113.7'],
    ['has no vendor beside it', 'domains: [rival.test, corp.test]'],
  ])('%s: silence', (_, rule) => {
    expect(warnings(rule).filter((text) => text.includes('matches nothing'))).toEqual([]);
  });
});

test('a group and a site that share no address', () => {
  expect(warnings('vendors: acme, groups: b, sites: [s, t]')).toEqual([
    '9:5 the rule "r0" is for nobody: no network of the group b lies at the site s or t, and a client must be in one of the groups and at one of the sites; correct the networks, or write a rule for each',
  ]);
});

test.each([
  ['the site lies in the group', 'vendors: acme, groups: [a, b], sites: s'],
  ['they share IPv6', 'vendors: acme, groups: a, sites: t'],
  ['the group has users, who may be anywhere', 'vendors: acme, groups: named, sites: s'],
])('silence where %s', (_, rule) => {
  expect(warnings(rule)).toEqual([]);
});

test('an exception and a choice of assistant for nobody', () => {
  const text = `${people}assistants: { i: { name: I, url: https://i.test/ } }
assistant_for: [{ groups: b, sites: s, assistant: i }]
exceptions: [{ id: e, vendors: acme, groups: b, sites: s, until: 2027-01-01, approved_by: me, reason: x }]
`;
  const found = withConfig({ 'policy.yaml': text.replace(', users: ada', '') }, (file) =>
    placedWarnings(lint(loadConfig(file), now)).map(({ position, message }) => `${position?.line ?? 0} ${message}`),
  );
  expect(found).toEqual([
    expect.stringMatching(/^9 the choice 1 of assistant_for is for nobody: /),
    expect.stringMatching(/^10 the exception "e" is for nobody: /),
  ]);
});
