import { expect, test } from 'vitest';
import { membersOf } from '../../src/identify/named-clients.ts';

const exception = (groups: readonly string[] | undefined) => ({
  id: 'x',
  what: { vendors: ['acme'] },
  groups,
  until: 1,
  approvedBy: 'head',
  reason: 'why',
});

const find = membersOf({
  groups: { staff: { networks: ['10.0.0.0/8'], users: [], forwarded: [] } },
  exceptions: [exception(['staff', 'user:alice', 'network:10.1.0.0/16']), exception(undefined)],
});

test.each<[address: string, user: string | null, expected: string[]]>([
  ['10.2.0.1', null, ['staff']],
  ['10.2.0.1', 'alice', ['staff', 'user:alice']],
  ['10.1.0.1', null, ['network:10.1.0.0/16', 'staff']],
  ['10.1.0.1', 'alice', ['network:10.1.0.0/16', 'staff', 'user:alice']],
  ['10.1.0.1', 'Alice', ['network:10.1.0.0/16', 'staff', 'user:alice']],
  ['192.0.2.1', 'alice', ['user:alice']],
  ['192.0.2.1', 'bob', []],
])('%s %s', (address, user, expected) => {
  expect([...find(address, user)].toSorted()).toEqual(expected);
});
