import { expect, test } from 'vitest';
import { createNetworks } from '../../src/listen/networks.ts';

const within = createNetworks(['10.0.0.0/8', '192.0.2.7/32', 'fd00::/8']);

test.each([
  ['10.255.0.1', true],
  ['11.0.0.1', false],
  ['192.0.2.7', true],
  ['192.0.2.8', false],
  ['fd12::1', true],
  ['fe80::1%eth0', false],
  ['fd00::1%eth0', true],
  ['not an address', false],
  ['', false],
])('%j: %s', (address, inside) => {
  expect(within(address)).toBe(inside);
});

test('no networks hold nobody, and all of them everybody', () => {
  expect(createNetworks([])('10.0.0.1')).toBe(false);
  const everybody = createNetworks(['0.0.0.0/0', '::/0']);
  expect([everybody('10.0.0.1'), everybody('::1')]).toEqual([true, true]);
});
