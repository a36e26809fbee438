/** What people write into policies who know YAML, and what they are told. */
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { complaint, goodPolicy, withConfig } from './folder.ts';
import type { Files } from './folder.ts';

const rule = (extra: string): string => goodPolicy + extra;

describe('policy.yaml is refused with a remedy', () => {
  test.each<readonly [name: string, files: Files, line: string]>([
    [
      'a date without dashes',
      { 'policy.yaml': rule('    until: 20270630\n') },
      'policy.yaml:10:12: 20270630 is a number, not a date; write 2027-06-30',
    ],
    [
      'a list in a list of rules',
      { 'policy.yaml': 'rules:\n  - - { id: ban, vendors: acme, effect: deny, reason: x }\n' },
      'policy.yaml:2:5: each item of "rules" must be a mapping of keys, not a list; remove the inner brackets or the second dash',
    ],
    [
      'a list in a list of vendors',
      { 'policy.yaml': goodPolicy.replace('vendors: acme', 'vendors: [[acme]]') },
      'policy.yaml:7:15: each item of "vendors" must be text, not a list; remove the inner brackets or the second dash',
    ],
    [
      'text in a list of rules',
      { 'policy.yaml': 'rules: [ban]\n' },
      'policy.yaml:1:9: each item of "rules" must be a mapping of keys, not text; correct it',
    ],
    [
      'holidays with names',
      { 'policy.yaml': 'holidays: { christmas: 2026-12-25 }\n' + goodPolicy },
      'policy.yaml:1:11: "holidays" must be a list of days, not a mapping of keys; write [2026-12-25, 2027-01-01]',
    ],
    [
      'holidays whose names follow',
      { 'policy.yaml': 'holidays: [{ 2026-12-25: Christmas }]\n' + goodPolicy },
      'policy.yaml:1:12: a holiday is only a day; write one such as 2026-12-25, and its name in a comment',
    ],
    [
      'a holiday without dashes',
      { 'policy.yaml': 'holidays: 20261225\n' + goodPolicy },
      'policy.yaml:1:11: 20261225 is a number, not a date; write 2026-12-25',
    ],
    [
      'a holiday in another order',
      { 'policy.yaml': 'holidays: [25.12.2026]\n' + goodPolicy },
      'policy.yaml:1:12: "25.12.2026" is not a day; write one such as 2026-12-25',
    ],
    [
      'a holiday with a time',
      { 'policy.yaml': 'holidays: [2026-12-25T08:00Z]\n' + goodPolicy },
      'policy.yaml:1:12: "2026-12-25T08:00Z" is not a day; write one such as 2026-12-25',
    ],
    [
      'the days themselves in a rule',
      { 'policy.yaml': rule('    holidays: [2026-12-25]\n') },
      'policy.yaml:10:15: "holidays" of a rule or an exception is "except" or "only"; list the days at the top level of the file, or in a site',
    ],
    [
      'one day itself in a rule',
      { 'policy.yaml': rule('    holidays: 2026-12-25\n') },
      'policy.yaml:10:15: "holidays" of a rule or an exception is "except" or "only"; list the days at the top level of the file, or in a site',
    ],
    [
      'another word for how holidays count',
      { 'policy.yaml': rule('    holidays: exept\n') },
      'policy.yaml:10:15: "holidays" must be one of except, only, not "exept"; did you mean "except"?',
    ],
    [
      'a length of time for a date',
      { 'policy.yaml': rule('    until: 90d\n') },
      'policy.yaml:10:12: "90d" is a length of time, and a policy has only dates; write one such as 2026-07-10',
    ],
    [
      'what other products call the effect',
      { 'policy.yaml': goodPolicy.replace('effect: deny', 'action: deny') },
      'policy.yaml:8:5: unknown key "action"; did you mean "effect"?',
    ],
    [
      'what other products call the reason',
      { 'policy.yaml': goodPolicy.replace('reason:', 'message:') },
      'policy.yaml:9:5: unknown key "message"; did you mean "reason"?',
    ],
    [
      'what other products call the end',
      { 'policy.yaml': rule('    expires: 2027-01-01\n') },
      'policy.yaml:10:5: unknown key "expires"; did you mean "until"?',
    ],
    [
      'a name for an id',
      { 'policy.yaml': goodPolicy.replace('id: ban', 'name: ban') },
      'policy.yaml:6:5: unknown key "name"; did you mean "id"?',
    ],
    ...(['users', 'user', 'networks', 'client'] as const).map((key): [string, Files, string] => [
      `${key} in a rule`,
      { 'policy.yaml': rule(`    ${key}: ada\n`) },
      `policy.yaml:10:5: unknown key "${key}"; rules and exceptions are for groups: write a group with these ${key.startsWith('u') ? 'users' : 'networks'}, and its id under "groups" here`,
    ]),
    [
      'a key that nothing is like',
      { 'policy.yaml': rule('    colour: red\n') },
      'policy.yaml:10:5: unknown key "colour"; known: id, vendors, products, channels, tags, risks, domains, lists, groups, sites, from, windows, holidays, time_zone, until, effect, reason, assistant, manner, redirect, link, details, owner, clear_site_data, let_account_calls_pass, open_tunnels',
    ],
  ])('%s', (_, files, line) => {
    expect(complaint(files)).toBe(line);
  });
});

test('one day, and one name, may be written as a word', () => {
  const policy = `holidays: 2026-12-25
sites: { s: { networks: 10.0.0.0/8, holidays: 2027-01-01 } }
defaults: { ech_public_names: front.test }
rules: [{ id: r, vendors: acme, sites: s, holidays: only, effect: deny, reason: x }]
`;
  const { rules, defaults } = withConfig({ 'policy.yaml': policy }, (file) => loadConfig(file).policy);
  expect([...(rules[0]?.schedule?.holidays ?? [])]).toEqual(
    [Date.UTC(2026, 11, 25), Date.UTC(2027, 0, 1)].map((at) => at / 86_400_000),
  );
  expect(defaults.echPublicNames).toEqual(['front.test']);
});
