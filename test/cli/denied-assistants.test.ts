import { expect, test } from 'vitest';
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
    `the assistant "acme" is at chat.acme.test, which ban denies to ${whom}: they are offered no assistant, or are blocked again there; name another, or allow its address`;
  expect(warnings(policy)).toEqual([`8: ${blocked('eu')}`, `9: ${blocked('clients in no group')}`]);
});

test('one that only a group is denied, where the rule for that group names it', () => {
  const rules = deny('staff-ban', ', groups: staff, assistant: acme');
  expect(warnings(`${people}default_assistant: inhouse\nrules:\n${rules}`)).toEqual([
    expect.stringMatching(/^11: .* which staff-ban denies to staff: /),
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
  expect(warnings(policy)).toEqual([expect.stringMatching(/ai\.corp\.test, which default-unlisted denies/)]);
});
