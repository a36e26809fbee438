import { expect, test } from 'vitest';
import { indexMembers } from '../../src/identify/members.ts';

const members = indexMembers({
  groups: {
    design: { networks: ['10.20.0.0/16'], users: ['Ada', 'bob@corp.test', '\u00e1sa'], forwarded: ['Chip Design'] },
    research: { networks: [], users: ['ada'], forwarded: ['R&D', 'Chip Design'] },
    staff: { networks: ['10.0.0.0/8'], users: [], forwarded: [] },
  },
  sites: { berlin: { networks: ['10.40.0.0/16'] } },
});

test.each<readonly [address: string, user: string | null, forwarded: readonly string[], expected: readonly string[]]>([
  ['192.0.2.1', null, [], []],
  ['10.20.0.1', null, [], ['design', 'staff']],
  ['10.40.0.1', null, [], ['berlin', 'staff']],
  ['192.0.2.1', 'ada', [], ['design', 'research']],
  ['10.20.0.1', 'ada', [], ['design', 'research', 'staff']],
  ['192.0.2.1', 'bob@corp.test', [], ['design']],
  ['192.0.2.1', 'Ada', [], ['design', 'research']],
  ['192.0.2.1', 'BOB@Corp.test', [], ['design']],
  ['192.0.2.1', 'CORP\\ada', [], []],
  ['192.0.2.1', 'A\u0301SA', [], ['design']],
  ['192.0.2.1', 'design', [], []],
  ['192.0.2.1', null, ['R&D'], ['research']],
  ['192.0.2.1', null, ['Chip Design', 'unheard'], ['design', 'research']],
  ['192.0.2.1', null, ['r&d'], ['research']],
  ['192.0.2.1', null, ['CHIP DESIGN', 'chip design'], ['design', 'research']],
  ['192.0.2.1', null, ['chip-design', 'constructor'], []],
  ['10.40.0.1', 'bob@corp.test', ['R&D'], ['berlin', 'design', 'research', 'staff']],
])('%s as %s, vouched for as %j', (address, user, forwarded, expected) => {
  expect([...members(address, user, forwarded)].toSorted()).toEqual(expected);
});

test('equal answers are one object, which nobody can change', () => {
  const once = members('10.20.0.1', 'ada');
  expect(members('10.20.0.1', 'ada')).toBe(once);
  expect(members('10.20.0.1', 'nobody')).toBe(members('10.20.0.2'));
  expect(() => (once as Set<string>).add('x')).toThrow('cannot be changed');
});
