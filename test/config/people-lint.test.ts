import { expect, test } from 'vitest';
import { lint, placedWarnings } from '../../src/config/lint.ts';
import { loadConfig } from '../../src/config/load.ts';
import { withConfig } from './folder.ts';

const policy = `groups:
  staff: { networks: 10.0.0.0/8 }
  named:
    networks: 10.1.0.0/16
    users: [ada]
  told: { forwarded: Chip Design }
rules:
  - { id: ban, vendors: acme, groups: [staff, named, told], effect: deny, reason: Because. }
`;
const line = (id: string, until: string): string =>
  JSON.stringify({
    ...{ id, vendors: ['acme'], users: ['ada'], until, reason: 'x', approved_by: 'Bo', created_by: 'Bo' },
    created_at: '2026-01-01T00:00:00Z',
  });
const stored = `${line('gone', '2026-02-01T00:00:00Z')}\n${line('now', '2099-01-01T00:00:00Z')}\n`;

function warnings(settings: string, people = hash, text = policy): readonly string[] {
  const files = {
    'policy.yaml': text,
    'exceptions.jsonl': stored,
    'sallyport.yaml': settings,
    users: people,
    a: '',
    b: '',
    c: '',
  };
  return withConfig(files, (file, dir) =>
    placedWarnings(lint(loadConfig(file), Date.parse('2026-08-01T00:00:00Z'))).map(
      ({ position, message }) => `${position?.line ?? 0}: ${message.replace(/, but .*/, '').replaceAll(`${dir}/`, '')}`,
    ),
  );
}
const hash = `ada:$2y$05$${'a'.repeat(53)}\n`;

const users = ['5: the group "named" names users', '2: the exception "now" names users'];
const forwarded = ['6: the group "told" depends on "forwarded"'];

test('users and groups that no proxy learns of, each with its line', () => {
  const found = warnings('policy: policy.yaml\n');
  expect(found.toSorted()).toEqual([...users, ...forwarded].toSorted());
});

test.each([
  ['a password file', 'clients: { authentication: { password_file: users } }', forwarded],
  ['a trusted proxy that names users', 'clients: { user_field: { name: X-User, trusted: [10.0.0.5] } }', forwarded],
  ['a trusted proxy that names groups', 'clients: { groups_field: { name: X-Groups, trusted: [10.0.0.5] } }', users],
  [
    'client certificates',
    'listen: { proxy_tls: { address: "127.0.0.1:0", cert_file: a, key_file: b, client_ca_file: c } }',
    forwarded,
  ],
])('%s tells', (_, settings, rest) => {
  expect(warnings(`${settings}\n`).toSorted()).toEqual(rest.toSorted());
});

test('names that the password file does not have, where no other source of names is', () => {
  const file = 'clients: { authentication: { password_file: users } }';
  const other = hash.replace('ada', 'bob');
  expect(warnings(`${file}\n`, hash.replace('ada', 'ADA'))).toEqual(forwarded);
  expect(warnings(`${file}\n`, other).toSorted()).toEqual(
    [
      ...forwarded,
      '5: the group "named" names "ada", who is not in users, where all user names are; add the user there, or correct the name',
      '2: the exception "now" names "ada", who is not in users, where all user names are; add the user there, or correct the name',
    ].toSorted(),
  );
  const field = 'clients: { authentication: { password_file: users }, user_field: { name: X-U, trusted: [10.0.0.5] } }';
  expect(warnings(`${field}\n`, other)).toEqual(forwarded);
});

test('two names of the password file that policies take for one', () => {
  const file = 'clients: { authentication: { password_file: users } }';
  expect(warnings(`${file}\n`, hash + hash.replace('ada', 'Ada')).toSorted()).toEqual(
    ['1: users has the users "ada" and "Ada": policies take them for one; rename one of them', ...forwarded].toSorted(),
  );
});

test('names of groups elsewhere that differ in case only, in two groups', () => {
  const groups = (...forwarded: string[]): string =>
    policy.replace('rules:', `${forwarded.map((name, i) => `  g${i}: { forwarded: ${name} }\n`).join('')}rules:`);
  const settings = 'clients: { groups_field: { name: X-Groups, trusted: [10.0.0.5] } }\n';
  expect(warnings(settings, hash, groups('Chip Design', '[Interns, interns]', 'Interns'))).toEqual(users);
  const found = warnings(settings, hash, groups('Interns', 'chip design'));
  expect(found.filter((warning) => !users.includes(warning))).toEqual([
    '8: the group "g1" has "chip design" as "forwarded", and the group "told" has "Chip Design": names are compared regardless of case, so their members are in both groups; write both alike if that is meant, or rename one of them',
  ]);
});
