import { expect, test } from 'vitest';
import { userOf } from '../../src/listen/proxy-tls.ts';

const certificate = (CN: unknown, subjectaltname?: string): Parameters<typeof userOf>[0] =>
  ({ subject: { CN }, subjectaltname }) as Parameters<typeof userOf>[0];

test.each([
  ['cn', certificate('ada'), 'ada'],
  ['cn', certificate('Ada Lovelace'), 'Ada Lovelace'],
  ['cn', certificate(['ada', 'root']), undefined],
  ['cn', certificate(undefined), undefined],
  ['cn', certificate('a\r\nX: y'), undefined],
  ['cn', certificate('x'.repeat(257)), undefined],
  ['email', certificate('ada', 'DNS:a.test, email:ada@corp.test'), 'ada@corp.test'],
  ['email', certificate('ada', 'email:ada@corp.test, email:root@corp.test'), undefined],
  ['email', certificate('ada', 'DNS:"a, email:root@corp.test"'), undefined],
  ['email', certificate('ada'), undefined],
  ['upn', certificate('ada', 'email:ada@x.test, othername:UPN:ada@corp.test'), 'ada@corp.test'],
  ['upn', certificate('ada', 'othername:UPN:ada@corp.test, othername:UPN:root@corp.test'), undefined],
  ['upn', certificate('ada', 'othername:UPN:"ada, root"'), undefined],
  ['upn', certificate('ada', 'othername:<unsupported>, email:ada@corp.test'), undefined],
] as const)('the user by %s of %j is %s', (from, given, user) => {
  expect(userOf(given, from)).toBe(user);
});
