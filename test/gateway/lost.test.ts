import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { mayHaveLost } from '../../src/gateway/lost.ts';
import { writeConfig } from '../support/lab.ts';

const full = `
defaults: { unlisted: deny, ech: deny, raw_address: deny }
mode: sanctioned-only
groups:
  staff: { networks: [10.1.0.0/16, 10.2.0.0/16] }
  research: { networks: 10.3.0.0/16 }
sites:
  berlin: { networks: 10.0.0.0/8, assistant: le-chat }
risk_classes:
  banned: { vendors: [anthropic, openai] }
lists:
  ads: { url: 'https://lists.test/ads.txt' }
  spies: { url: 'https://lists.test/spies.txt' }
assistants:
  le-chat: { name: Le Chat, url: 'https://chat.test/' }
default_assistant: le-chat
rules:
  - { id: one, domains: [a.test, b.test], vendors: openai, effect: deny, reason: R. }
  - { id: two, domains: c.test, effect: deny, reason: R. }
  - { id: listed, lists: [ads, spies], domains: e.test, effect: deny, reason: R. }
  - { id: some, vendors: anthropic, groups: [staff, research], sites: berlin, effect: deny, reason: R. }
  - id: timed
    risks: banned
    from: 2026-01-01
    until: 2027-01-01
    windows: ['mon-fri 08:00-18:00']
    effect: deny
    reason: R.
  - { id: open, domains: [f.test, g.test], groups: research, effect: allow, reason: R. }
  - { id: seen, products: openai/chatgpt, groups: research, effect: monitor, reason: R. }
exceptions:
  - id: trial
    products: anthropic/claude
    until: 2026-12-31
    approved_by: Ada
    reason: R.
    groups: research
`;
const config = writeConfig({ policy: full, settings: {} });
const read = (policy: string) => {
  writeFileSync(join(dirname(config), 'policy.yaml'), policy);
  return loadConfig(config).policyOfFile;
};
const changed = (from: string | RegExp, to: string): string => {
  const next = full.replace(from, to);
  expect(next).not.toBe(full);
  return next;
};
const rule = (text: string): string => changed('rules:\n', `rules:\n  - ${text}\n`);

test.each([
  ['nothing', full],
  ['another reason', changed('reason: R.', 'reason: Another.')],
  ['a denial more', rule('{ id: x, domains: d.test, effect: deny, reason: R. }')],
  ['a domain more', changed('b.test', 'b.test, d.test')],
  ['a condition less', changed('vendors: openai, ', '')],
  ['for everyone', changed('groups: [staff, research], sites: berlin, ', '')],
  ['no end', changed(/ +until: 2027-01-01\n/, '')],
  ['at all times', changed(/ +windows.*\n/, '')],
  ['a permission denies', changed('effect: allow', 'effect: deny')],
  ['a group more', changed('groups:\n', 'groups:\n  admins: { networks: 10.9.0.0/16 }\n')],
  ['another assistant of a site', changed(', assistant: le-chat }', ' }')],
  ['a default more', changed('defaults: {', 'defaults: { catalogue: deny,')],
])('has lost nothing: %s', (_, next) => {
  expect(mayHaveLost(read(full), read(next))).toBe(false);
});

test.each([
  ['a rule less', changed(/ {2}- \{ id: two.*\n/, '')],
  ['a rule of another name', changed('id: two', 'id: deux')],
  ['no rule', changed(/rules:\n( {2,}.*\n)+/, 'rules: []\n')],
  ['a domain less', changed(', b.test', '')],
  ['a condition more', changed('domains: c.test', 'domains: c.test, channels: direct')],
  ['a list less', changed('[ads, spies]', 'ads')],
  ['no lists, and the domain stays', changed('lists: [ads, spies], ', '')],
  ['for one group of two', changed('[staff, research]', 'staff')],
  ['for a group alone', changed('domains: c.test', 'domains: c.test, groups: staff')],
  ['at a site alone', changed('domains: c.test', 'domains: c.test, sites: berlin')],
  ['an earlier end', changed('until: 2027-01-01', 'until: 2026-12-01')],
  ['a later begin', changed('from: 2026-01-01', 'from: 2026-02-01')],
  ['other times', changed('08:00-18:00', '08:00-17:00')],
  ['a denial allows', changed('domains: c.test, effect: deny', 'domains: c.test, effect: allow')],
  ['a denial counts', changed('domains: c.test, effect: deny', 'domains: c.test, effect: monitor')],
  ['what was counted is allowed', changed('effect: monitor', 'effect: allow')],
  ['calls for accounts pass', changed('domains: c.test', 'domains: c.test, let_account_calls_pass: true')],
  ['a new permission', rule('{ id: x, domains: d.test, effect: allow, reason: R. }')],
  ['a permission for everyone', changed('groups: research, effect: allow', 'effect: allow')],
  ['a permission of more', changed('g.test]', 'g.test, h.test]')],
  ['an exception for everyone', changed(/(reason: R\.\n) {4}groups: research\n/, '$1')],
  ['a longer exception', changed('2026-12-31', '2027-12-31')],
  ['a new exception', changed('id: trial', 'id: trial-2')],
  ['a smaller group', changed(', 10.2.0.0/16', '')],
  ['a larger group, which may be let through', changed('10.3.0.0/16', '[10.3.0.0/16, 10.4.0.0/16]')],
  ['a smaller site', changed('10.0.0.0/8', '10.0.0.0/9')],
  ['a smaller risk class', changed('[anthropic, openai]', 'anthropic')],
  ['a list of another place', changed('ads.txt', 'more-ads.txt')],
  ['a permission less', changed(/ +- \{ id: open.*\n/, '')],
  [
    'a permission for fewer',
    changed('groups: research, effect: allow', 'groups: research, sites: berlin, effect: allow'),
  ],
  ['a permission of fewer', changed('[f.test, g.test]', 'f.test')],
  ['no exception', changed(/exceptions:\n( {2}.*\n)+/, '')],
  ['a shorter exception', changed('2026-12-31', '2026-12-30')],
  ['a default less', changed('unlisted: deny, ', '')],
  ['an encrypted hello', changed('ech: deny', 'ech: allow')],
  ['models that nobody knows', changed('defaults: {', 'defaults: { unknown_model: allow,')],
  ['no defaults', changed(/defaults.*\n/, '')],
  ['no mode', changed(/mode.*\n/, '')],
])('may have lost something: %s', (_, next) => {
  expect(mayHaveLost(read(full), read(next))).toBe(true);
});

test('a file that is cut short behind any of its lines is refused, or may have lost something', () => {
  const before = read(full);
  const lines = full.trimEnd().split('\n');
  const accepted = lines.flatMap((_, end) => {
    try {
      return [read(lines.slice(0, end).join('\n'))];
    } catch {
      return [];
    }
  });
  expect(accepted.length).toBeGreaterThan(5);
  expect(accepted.filter((next) => next.rulesLeftOut !== true && !mayHaveLost(before, next))).toEqual([]);
});
