import { expect, test } from 'vitest';
import { canonicalIpv6, ipv6Words, lastIpv4, mappedIpv4, peerAddress } from '../src/ip.ts';

test.each([
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '::ffff:c000:201'],
  ['2001:db8::1', '2001:db8::1'],
  [undefined, ''],
])('the peer %j is %j', (address, expected) => {
  expect(peerAddress(address)).toBe(expected);
});

test.each([
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', '0.0.0.1', null],
  ['::ffff:192.0.2.1', '::ffff:c000:201', '192.0.2.1', '192.0.2.1'],
  ['0:0:0:0:0:FFFF:0:0', '::ffff:0:0', '0.0.0.0', '0.0.0.0'],
  ['::ffff:0:192.0.2.1', '::ffff:0:c000:201', '192.0.2.1', null],
  ['64:ff9b::', '64:ff9b::', '0.0.0.0', null],
  ['64:ff9b::1', '64:ff9b::1', '0.0.0.1', null],
])('%s is %s, ends in %s, and is IPv4 as %s', (text, canonical, last, mapped) => {
  expect(canonicalIpv6(text)).toBe(canonical);
  expect(lastIpv4(canonical)).toBe(last);
  expect(mappedIpv4(canonical)).toBe(mapped);
});

test.each([
  ['::', [0, 0, 0, 0, 0, 0, 0, 0]],
  ['::1', [0, 0, 0, 0, 0, 0, 0, 1]],
  ['2001:DB8::', [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0]],
  ['1:2:3:4:5:6:7:8', [1, 2, 3, 4, 5, 6, 7, 8]],
  ['1:2:3:4:5:6:7::', [1, 2, 3, 4, 5, 6, 7, 0]],
  ['1:2:3:4:5:6:192.0.2.1', [1, 2, 3, 4, 5, 6, 0xc000, 0x201]],
  ['64:ff9b::192.0.2.1', [0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x201]],
  ['fe80::1%eth0', [0xfe80, 0, 0, 0, 0, 0, 0, 1]],
  ['fe80::1%a::b', [0xfe80, 0, 0, 0, 0, 0, 0, 1]],
])('%s has the words %j', (text, words) => {
  expect(ipv6Words(text)).toEqual(words);
});
