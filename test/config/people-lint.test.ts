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

function warnings(settings: string): readonly string[] {
  const files = {
    'policy.yaml': policy,
    'exceptions.jsonl': stored,
    'sallyport.yaml': settings,
    users: hash,
    a: '',
    b: '',
    c: '',
  };
  return withConfig(files, (file) =>
    placedWarnings(lint(loadConfig(file), Date.parse('2026-08-01T00:00:00Z'))).map(
      ({ position, message }) => `${position?.line ?? 0}: ${message.replace(/, but .*/, '')}`,
    ),
  );
}
const hash = `ada:$2y$05$${'a'.repeat(53)}\n`;

const users = ['5: the group "named" names users', '2: the exception "now" is for users'];
const forwarded = ['6: the group "told" is told by "forwarded"'];

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
