import { describe, expect, test } from 'vitest';
import { deniedAssistants } from '../../src/cli/denied-assistants.ts';
import { placedWarnings } from '../../src/config/lint.ts';
import { loadConfig } from '../../src/config/load.ts';
import { withConfig } from '../config/folder.ts';

const now = Date.parse('2026-08-01T00:00:00Z');

function warnings(policy: string): readonly string[] {
  return withConfig({ 'policy.yaml': policy }, (file) =>
    placedWarnings(deniedAssistants(loadConfig(file), new Map(), now)).map(
      ({ position, message }) => `${position?.line ?? 0}: ${message}`,
    ),
  );
}

/** acme.test is what the catalogue has. */
const people = `assistants:
  acme: { name: Acme, url: 'https://chat.acme.test/#new' }
  inhouse: { name: In-house, url: https://ai.corp.test/ }
  stand-in: { name: Stand-in, url: "http://127.0.0.1:8128/" }
groups:
  staff: { networks: 10.0.0.0/8 }
sites:
  eu: { networks: 10.4.0.0/16, assistant: acme }
`;
const deny = (id: string, more = ''): string => `  - { id: ${id}, vendors: acme, effect: deny, reason: No.${more} }\n`;

test('an assistant that is denied to those whom a rule, a site or the policy sends there', () => {
  const policy = `${people}default_assistant: acme\nrules:\n${deny('ban', ', assistant: acme')}`;
  const blocked = (whom: string): string =>
    `the assistant "acme" is at chat.acme.test, which ban denies to ${whom}: they are offered no assistant; name another, or allow its address`;
  expect(warnings(policy)).toEqual([`8: ${blocked('eu')}`, `9: ${blocked('clients in no group')}`]);
});

test('one that only a group is denied, where the rule for that group names it', () => {
  const rules = deny('staff-ban', ', groups: staff, assistant: acme');
  expect(warnings(`${people}default_assistant: inhouse\nrules:\n${rules}`)).toEqual([
    '11: the assistant "acme" is at chat.acme.test, which staff-ban denies to staff: they are offered "inhouse" instead; name that one, or allow its address',
  ]);
});

test.each([
  ['the site may use it', `${deny('ban')}  - { id: eu-acme, vendors: acme, sites: eu, effect: allow, reason: Yes. }\n`],
  [
    'the rule that sends there is over',
    deny('old', ', assistant: acme, groups: staff, until: 2026-01-01') + deny('ban', ', groups: staff'),
  ],
  ['it has no name', `  - { id: ban, domains: other.test, effect: deny, reason: No., assistant: stand-in }\n`],
])('none where %s', (_, rules) => {
  expect(warnings(`${people}default_assistant: inhouse\nrules:\n${rules}`)).toEqual([]);
});

test('everything that is not listed is denied, and the assistant is not listed', () => {
  const policy = `${people.replace(', assistant: acme', '')}default_assistant: inhouse\ndefaults: { unlisted: deny }\n`;
  expect(warnings(policy)).toEqual([
    expect.stringMatching(
      /ai\.corp\.test, which default-unlisted denies to clients in no group: they are sent there and blocked again; /,
    ),
  ]);
});

describe('a group that is denied the assistant of everybody', () => {
  const other = '  - { id: no-other, domains: other.test, effect: deny, reason: No. }\n';
  const staff = (more = '', top = ''): string =>
    `${people.replace(', assistant: acme', '')}default_assistant: acme\n${top}rules:\n${other}${deny('staff-ban', `, groups: staff${more}`)}`;
  const says =
    '9: the assistant "acme" is at chat.acme.test, which staff-ban denies to staff: they are offered no assistant; name another, or allow its address';

  test('is offered none, and somewhere else is told so', () => {
    expect(warnings(staff())).toEqual([says]);
    expect(warnings(staff(', sites: eu'))).toEqual([says.replace('to staff:', 'to staff at eu:')]);
  });

  test('two groups in one line', () => {
    const policy = staff()
      .replace('sites:', '  guests: { networks: 10.9.0.0/16 }\nsites:')
      .replace('groups: staff', 'groups: [staff, guests]');
    expect(warnings(policy)).toEqual([says.replace('9:', '10:').replace('to staff:', 'to staff, guests:')]);
  });

  test('is sent there by a rule for everybody', () => {
    const policy = staff()
      .replace('default_assistant: acme\n', '')
      .replace('other.test,', 'other.test, assistant: acme,');
    expect(warnings(policy)).toEqual([
      expect.stringMatching(/^10: .* denies to staff: they are offered no assistant; /),
    ]);
  });

  test.each([
    ['has another by a choice of its own', staff('', 'assistant_for: [{ groups: staff, assistant: inhouse }]\n')],
    ['has another by a choice for all', staff('', 'assistant_for: [{ assistant: inhouse }]\n')],
    ['is denied nothing else', staff().replace(other, '')],
    ['is denied what else there is no longer', staff().replace('reason: No. }', 'reason: No., until: 2026-01-01 }')],
    [
      'is not whom the other denial is for',
      staff()
        .replace('other.test,', 'other.test, groups: guests,')
        .replace('sites:', '  guests: { networks: 10.9.0.0/16 }\nsites:'),
    ],
  ])('%s: none', (_, policy) => {
    expect(warnings(policy)).toEqual([]);
  });

  test('has the one of its site', () => {
    const policy = staff()
      .replace('10.4.0.0/16', '10.4.0.0/16, assistant: inhouse')
      .replace('groups: staff', 'sites: eu');
    expect(warnings(policy)).toEqual([]);
  });

  test('is denied everything that no rule allows', () => {
    expect(
      warnings(
        `mode: sanctioned-only\n${staff().replace(other, '  - { id: ok, vendors: acme, effect: allow, reason: Yes. }\n')}`,
      ),
    ).toEqual([says.replace('9:', '10:')]);
  });
});
