import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { PolicyDocument } from '../../src/flow.ts';
import { policyChanges } from '../../src/rehearse/policy-changes.ts';
import { withConfig } from '../config/folder.ts';

const policy = `assistants:
  inhouse: { name: In-house, url: https://ai.corp.test/ }
groups:
  staff: { networks: 10.0.0.0/8 }
rules:
  - { id: count, vendors: acme, until: 2026-07-10, effect: monitor, reason: Counted. }
  - { id: ban, vendors: acme, groups: staff, from: 2026-07-10, effect: deny, reason: Banned. }
exceptions:
  - { id: trial, domains: =acme.test, until: 2026-08-01, approved_by: Ada, reason: A trial. }
`;

function read(text: string): PolicyDocument {
  return withConfig({ 'policy.yaml': text }, (file) => loadConfig(file).policy);
}

function changes(from: string, to: string): string[] {
  return policyChanges(read(from), read(to)).map(({ change, kind, id, text }) => `${change} ${kind} ${id}: ${text}`);
}

test('the same says the same', () => {
  expect(changes(policy, `# a comment\n${policy}`)).toEqual([]);
});

test.each([
  [
    'a date',
    'from: 2026-07-10',
    'from: 2026-07-12T08:00:00Z',
    ['changed rule ban: from 2026-07-12T08:00Z, was 2026-07-10'],
  ],
  [
    'an effect and a reason',
    'deny, reason: Banned.',
    'monitor, reason: Watched.',
    ['changed rule ban: effect monitor, was deny; reason Watched., was Banned.'],
  ],
  ['whom', 'groups: staff, ', '', ['changed rule ban: groups staff is gone']],
  [
    'a link that is new',
    'effect: deny',
    'effect: deny, link: "https://ask.test/"',
    ['changed rule ban: now with link https://ask.test/'],
  ],
  [
    'what',
    'domains: =acme.test',
    'vendors: acme',
    ['changed exception trial: domains =acme.test is gone; now with vendors acme'],
  ],
  [
    'windows',
    'until: 2026-07-10',
    'windows: [mon-fri 08:00-18:00, sat 22:00-06:00, sun]',
    [
      'changed rule count: until 2026-07-10 is gone; now with windows mon tue wed thu fri 08:00-18:00, sat 22:00-06:00, sun',
    ],
  ],
  [
    'an assistant',
    'https://ai.corp.test/',
    'https://ki.corp.test/',
    ['changed assistant inhouse: url https://ki.corp.test/, was https://ai.corp.test/'],
  ],
])('%s', (_, old, now, expected) => {
  expect(changes(policy, policy.replace(old, now))).toEqual(expected);
});

test('what comes and goes is told whole', () => {
  const less = policy
    .split('\n')
    .filter((line) => !line.includes('id: '))
    .join('\n')
    .replace('rules:', 'rules: []')
    .replace('exceptions:', 'exceptions: []');
  expect(changes(less, policy)).toEqual([
    'added rule count: counts vendor acme for everyone until 2026-07-10: Counted.',
    'added rule ban: denies vendor acme for staff from 2026-07-10: Banned.',
    'added exception trial: allows domain =acme.test for everyone until 2026-08-01, approved by Ada',
  ]);
  expect(changes(policy, less).map((text) => text.split(':')[0])).toEqual([
    'removed rule count',
    'removed rule ban',
    'removed exception trial',
  ]);
});

test('defaults, groups and the time zone', () => {
  const other = `time_zone: Europe/Berlin\n${policy.replace('10.0.0.0/8', '10.1.0.0/16')}defaults: { unlisted: deny }\n`;
  const found = changes(policy, other);
  expect(found).toContain('changed default unlisted: deny, was allow');
  expect(found).toContain('changed setting time_zone: Europe/Berlin, was UTC');
  expect(found.find((text) => text.startsWith('changed group staff:'))).toContain('10.1.0.0/16, was 10.0.0.0/8');
});

test('a rule that moved', () => {
  const [count = '', ban = ''] = policy.split('\n').filter((line) => line.includes('id: '));
  const swapped = policy.replace(count, 'X').replace(ban, count).replace('X', ban);
  expect(changes(policy, swapped)).toEqual(['moved rule count: now last']);
});
