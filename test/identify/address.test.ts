import { expect, test } from 'vitest';
import { addressText, isMapped, readAddress, unmapped } from '../../src/identify/address.ts';

test.each([
  ['0.0.0.0', 32, 0n],
  ['10.1.2.3', 32, 0x0a010203n],
  ['255.255.255.255', 32, 0xffffffffn],
  ['::', 128, 0n],
  ['::1', 128, 1n],
  ['fe80::', 128, 0xfe80n << 112n],
  ['2001:db8::8:800:200c:417a', 128, (0x20010db8n << 96n) | 0x00080800200c417an],
  ['1:2:3:4:5:6:7:8', 128, 0x00010002000300040005000600070008n],
  ['2001:DB8::A', 128, (0x20010db8n << 96n) | 10n],
  ['::ffff:10.1.2.3', 128, 0xffff0a010203n],
  ['64:ff9b::192.0.2.33', 128, (0x0064ff9bn << 96n) | 0xc0000221n],
  ['fe80::1%eth0', 128, (0xfe80n << 112n) | 1n],
] as const)('reads %s', (text, width, value) => {
  expect(readAddress(text)).toEqual({ width, value });
});

test.each(['', 'claude.ai', '10.1', '10.1.2.256', '1::2::3', '[::1]', '10.1.2.3/8', ' 10.1.2.3'])(
  'says that %j is no address',
  (text) => {
    expect(readAddress(text)).toBeNull();
  },
);

test.each([
  ['::ffff:10.1.2.3', true, { width: 32, value: 0x0a010203n }],
  ['::ffff:a01:203', true, { width: 32, value: 0x0a010203n }],
  ['::fffe:a01:203', false, { width: 128, value: 0xfffe0a010203n }],
  ['::a01:203', false, { width: 128, value: 0x0a010203n }],
  ['10.1.2.3', false, { width: 32, value: 0x0a010203n }],
])('knows whether %s is an IPv4 address in disguise', (text, mapped, plain) => {
  const bits = readAddress(text);
  expect(bits).not.toBeNull();
  if (bits !== null) expect([isMapped(bits), unmapped(bits)]).toEqual([mapped, plain]);
});

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:a01:203', '10.1.2.3'],
  ['::FFFF:10.1.2.3', '10.1.2.3'],
  ['64:ff9b::a01:203', '10.1.2.3'],
  ['64:ff9b:1::a01:203', '64:ff9b:1::a01:203'],
  ['2001:DB8:0:0::A', '2001:db8::a'],
  ['fe80::1%eth0', 'fe80::1'],
  ['claude.ai', 'claude.ai'],
])('%s is spelled %s', (text, canonical) => {
  expect(addressText(text)).toBe(canonical);
});
