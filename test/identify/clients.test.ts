import { BlockList } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indexGroups } from '../../src/identify/clients.ts';

const groups = indexGroups({
  office: ['10.0.0.0/8', 'fd00::/8'],
  design: ['10.20.0.0/16', 'fd00:20::/32'],
  one: ['10.20.0.7', '2001:db8::7/128'],
  odd: ['192.0.2.128/25', '2001:db8:0:8::/61'],
  mapped: ['::ffff:198.51.100.0/120'],
});

test.each([
  ['10.1.1.1', ['office']],
  ['10.20.0.8', ['design', 'office']],
  ['10.20.0.7', ['design', 'office', 'one']],
  ['11.0.0.1', []],
  ['9.255.255.255', []],
  ['192.0.2.127', []],
  ['192.0.2.128', ['odd']],
  ['fd00:20::1', ['design', 'office']],
  ['fdff::1', ['office']],
  ['2001:db8::7', ['one']],
  ['2001:db8:0:0:0::7', ['one']],
  ['2001:db8::8', []],
  ['2001:db8:0:7::1', []],
  ['2001:db8:0:f::1', ['odd']],
  ['::ffff:10.20.0.7', ['design', 'office', 'one']],
  ['::ffff:a14:7', ['design', 'office', 'one']],
  ['198.51.100.9', ['mapped']],
  ['::10.20.0.7', []],
  ['fd00::1%eth0', ['office']],
  ['', []],
  ['not an address', []],
])('%s is in %j', (address, expected) => {
  expect([...groups(address)]).toEqual(expected);
});

test('everyone of one family', () => {
  const everyone = indexGroups({ v4: ['0.0.0.0/0'], v6: ['::/0'] });
  expect([...everyone('203.0.113.9')]).toEqual(['v4']);
  expect([...everyone('2001:db8::1')]).toEqual(['v6']);
});

test('clients in the same groups share one set, before and after it is remembered', () => {
  expect(groups('10.20.1.1')).toBe(groups('10.20.9.9'));
  expect(groups('10.20.1.1')).toBe(groups('10.20.1.1'));
  expect(groups('11.0.0.1')).toBe(groups('nobody'));
});

test('without groups nothing is looked up', () => {
  const none = indexGroups({});
  expect(none('10.0.0.1')).toBe(none('10.0.0.2'));
  expect(none('10.0.0.1').size).toBe(0);
  expect(indexGroups({ empty: [] })('10.0.0.1').size).toBe(0);
});

test('a shared set cannot be changed', () => {
  const set = groups('10.20.1.1') as Set<string>;
  expect(() => set.add('one')).toThrow(TypeError);
  expect(() => set.delete('design')).toThrow(TypeError);
  expect(() => set.clear()).toThrow(TypeError);
  expect([...groups('10.20.1.2')]).toEqual(['design', 'office']);
});

test('more addresses than are remembered get the right answer', () => {
  for (let i = 0; i < 12_000; i += 1) groups(`10.20.${i >> 8}.${i & 255}`);
  expect([...groups('10.20.0.7')]).toEqual(['design', 'office', 'one']);
});

test.each(['10.0.0.0/33', '10.0.0/8', '::/129', 'office', '10.0.0.0/x', '10.0.0.0/', ''])('refuses %j', (block) => {
  expect(() => indexGroups({ design: [block] })).toThrow(
    new TypeError(`group "design": "${block}" is not an address or a CIDR block`),
  );
});

test('agrees with the block list of Node', () => {
  const v4 = fc
    .tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }))
    .map(([address, bits]) => ({ address, bits, family: 'ipv4' as const }));
  const v6 = fc
    .tuple(fc.ipV6(), fc.integer({ min: 1, max: 128 }))
    .map(([address, bits]) => ({ address, bits, family: 'ipv6' as const }));
  // Mapped addresses are another matter here: they are IPv4.
  const plain = fc.oneof(v4, v6).filter(({ address }) => !/^(?:0*:)*:?ffff:/i.test(address));
  fc.assert(
    fc.property(plain, fc.array(plain, { maxLength: 5 }), ({ address, bits, family }, others) => {
      const list = new BlockList();
      list.addSubnet(address, bits, family);
      const inGroup = indexGroups({ g: [`${address}/${bits}`] });
      for (const other of [...others, { address, family }]) {
        expect(inGroup(other.address).has('g')).toBe(other.family === family && list.check(other.address, family));
      }
    }),
    { numRuns: 1_000 },
  );
});
