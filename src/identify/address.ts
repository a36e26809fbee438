/** IP addresses as numbers, so that a CIDR block is a prefix. */
import { isIP } from 'node:net';
import { canonicalIpv6, ipv6Words } from '../ip.ts';

export interface Bits {
  readonly width: 32 | 128;
  /** Most significant bit first. */
  readonly value: bigint;
}

function ipv4Bits(text: string): bigint {
  return text.split('.').reduce((bits, part) => (bits << 8n) | BigInt(Number(part)), 0n);
}

function ipv6Bits(text: string): bigint {
  return ipv6Words(text).reduce((bits, word) => (bits << 16n) | BigInt(word), 0n);
}

/** Null if it is no address. The zone of a link-local address (`%eth0`) is ignored. */
export function readAddress(text: string): Bits | null {
  const zone = text.indexOf('%');
  const address = zone === -1 ? text : text.slice(0, zone);
  const family = isIP(address);
  if (family === 4) return { width: 32, value: ipv4Bits(address) };
  return family === 6 ? { width: 128, value: ipv6Bits(address) } : null;
}

/** `::ffff:0:0/96`: IPv4 as a dual-stack socket shows it (RFC 4291, section 2.5.5.2). */
export function isMapped({ width, value }: Bits): boolean {
  return width === 128 && value >> 32n === 0xffffn;
}

/** `64:ff9b::/96`: IPv4 behind NAT64 (RFC 6052, section 2.1). */
const NAT64 = 0x64_ff9bn << 64n;

/** The canonical text of an address; if it embeds an IPv4 address (mapped or NAT64), the text of that one. */
export function addressText(text: string): string {
  const bits = readAddress(text);
  if (bits === null) return text;
  if (bits.width === 32) return text;
  const { value } = bits;
  if (isMapped(bits) || value >> 32n === NAT64)
    return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
  return canonicalIpv6(text.split('%', 1)[0] ?? '');
}

/** An IPv4-mapped address becomes the IPv4 address. */
export function unmapped(bits: Bits): Bits {
  return isMapped(bits) ? { width: 32, value: bits.value & 0xffff_ffffn } : bits;
}
