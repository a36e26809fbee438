import { expect, test } from 'vitest';
import { addressOctets } from '../../src/certificates/address.ts';

test.each([
  ['ipv4', '127.0.0.1', '7f000001'],
  ['ipv4', '255.255.255.255', 'ffffffff'],
  ['ipv6', '::', '00000000000000000000000000000000'],
  ['ipv6', '::1', '00000000000000000000000000000001'],
  ['ipv6', 'fe80::', 'fe800000000000000000000000000000'],
  ['ipv6', '2001:db8::8a2e:370:7334', '20010db80000000000008a2e03707334'],
  ['ipv6', '1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
] as const)('%s %s', (kind, address, octets) => {
  expect(addressOctets(address, kind).toString('hex')).toBe(octets);
});

test.each([
  ['ipv4', '999.1.1.1'],
  ['ipv4', '0x7f.1'],
  ['ipv4', '::1'],
  ['ipv6', '127.0.0.1'],
  ['ipv6', '::ffff:1.2.3.4'],
  ['ipv6', 'fe80::1%eth0'],
  ['ipv6', '[::1]'],
] as const)('%s %s is refused', (kind, address) => {
  expect(() => addressOctets(address, kind)).toThrow(expect.objectContaining({ code: 'invalid_target' }) as Error);
});
