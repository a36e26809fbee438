/**
 * The PROXY protocol, versions 1 and 2: the header by which a load balancer tells the client's address
 * (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt).
 */
import { isIPv4, isIPv6 } from 'node:net';
import { canonicalIpv6, mappedIpv4 } from '../ip.ts';

export interface ProxiedPeer {
  readonly address: string;
  readonly port: number;
}

export type ProxyHeader =
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly detail: string }
  /** `peer` is null if the connection is the load balancer's own (LOCAL, UNKNOWN, AF_UNSPEC, AF_UNIX). */
  | { readonly kind: 'header'; readonly length: number; readonly peer: ProxiedPeer | null };

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const WORD = Buffer.from('PROXY ');
/** Section 2.1: bytes of the longest line of version 1, including CR LF. */
const MAX_LINE = 107;
/** Bytes after the first 16 of version 2: addresses and TLVs, which are ignored. */
const MAX_BODY = 4 * 1024;

const more: ProxyHeader = { kind: 'more' };

function bad(detail: string): ProxyHeader {
  return { kind: 'bad', detail: `PROXY protocol: ${detail}` };
}

function begins(bytes: Buffer, token: Buffer): boolean {
  const length = Math.min(bytes.length, token.length);
  return bytes.compare(token, 0, length, 0, length) === 0;
}

function readPort(text: string): number | null {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : 65_536;
  return port > 65_535 ? null : port;
}

function readLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, MAX_LINE).indexOf('\r\n');
  if (end === -1) return bytes.length < MAX_LINE ? more : bad(`no end of line in ${MAX_LINE} bytes`);
  const length = end + 2;
  const line = bytes.toString('latin1', WORD.length, end);
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return { kind: 'header', length, peer: null };
  const [family, source = '', destination = '', from = '', to = '', ...rest] = line.split(' ');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : null;
  if (isAddress === null || rest.length > 0) return bad('the line is not "PROXY TCP4 source destination port port"');
  const port = readPort(from);
  if (![source, destination].every((one) => isAddress(one) && !one.includes('%')) || port === null)
    return bad('an address or a port is not valid');
  if (readPort(to) === null) return bad('an address or a port is not valid');
  return { kind: 'header', length, peer: { address: family === 'TCP6' ? clientText(source) : source, port } };
}

/**
 * The canonical text of a client's address: IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2) becomes IPv4, as groups,
 * networks and limits expect.
 */
function clientText(text: string): string {
  const canonical = canonicalIpv6(text);
  return mappedIpv4(canonical) ?? canonical;
}

/** The canonical text of 16 bytes. */
function ipv6Text(bytes: Buffer): string {
  return clientText(Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(':'));
}

/** Section 2.2: command and family, one byte each; length of the rest; addresses; TLVs. */
function readBinary(bytes: Buffer): ProxyHeader {
  if (bytes.length < 16) return more;
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const size = bytes.readUInt16BE(14);
  if (command !== 0x20 && command !== 0x21) return bad(`command 0x${command.toString(16)} of version 2 is unknown`);
  if (size > MAX_BODY) return bad(`a header of ${size} bytes; at most ${MAX_BODY} are allowed`);
  if (bytes.length < 16 + size) return more;
  const length = 16 + size;
  const body = bytes.subarray(16, length);
  // LOCAL: the rest is skipped, whatever the family and the length.
  if (command === 0x20) return { kind: 'header', length, peer: null };
  switch (family) {
    case 0x00:
    case 0x31:
    case 0x32:
      return { kind: 'header', length, peer: null };
    case 0x11:
      if (size < 12) return bad(`${size} bytes cannot hold two IPv4 addresses`);
      return { kind: 'header', length, peer: { address: body.subarray(0, 4).join('.'), port: body.readUInt16BE(8) } };
    case 0x21:
      if (size < 36) return bad(`${size} bytes cannot hold two IPv6 addresses`);
      return { kind: 'header', length, peer: { address: ipv6Text(body), port: body.readUInt16BE(32) } };
    default:
      return bad(`family 0x${family.toString(16)} is not TCP`);
  }
}

/** Reads what has arrived on a connection that must begin with a header. Never throws. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes.length === 0) return more;
  if (begins(bytes, SIGNATURE)) return bytes.length < SIGNATURE.length ? more : readBinary(bytes);
  if (begins(bytes, WORD)) return bytes.length < WORD.length ? more : readLine(bytes);
  return bad('the connection does not begin with a PROXY header');
}
