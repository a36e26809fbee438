/** Encodes addresses as octets, for the `iPAddress` of a certificate (RFC 5280, section 4.2.1.6). */
import { isIPv4, isIPv6 } from 'node:net';
import { SallyportError } from '../errors.ts';
import { ipv6Words } from '../ip.ts';

function ipv6Octets(address: string): Buffer {
  const octets = Buffer.alloc(16);
  ipv6Words(address).forEach((word, index) => octets.writeUInt16BE(word, index * 2));
  return octets;
}

/**
 * The 4 or 16 octets of an address in canonical form.
 *
 * @throws {SallyportError} `invalid_target` for anything else, so that no certificate is issued for a wrong address.
 */
export function addressOctets(address: string, kind: 'ipv4' | 'ipv6'): Buffer {
  if (kind === 'ipv4' && isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // Dotted tails and zone ids are not canonical.
  if (kind === 'ipv6' && isIPv6(address) && !/[.%]/.test(address)) return ipv6Octets(address);
  throw new SallyportError('invalid_target', `no certificate for ${JSON.stringify(address)}: not an ${kind} address`);
}
