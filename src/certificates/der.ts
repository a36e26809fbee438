/**
 * DER (X.690): an encoder on top of node-forge's ASN.1 functions, and a reader that returns slices.
 *
 * Forge is used only to encode. node:crypto verifies signatures, and names that must stay byte-exact (the issuer of a
 * leaf is the subject of its CA) are copied as slices rather than decoded and encoded again.
 */
import forge from 'node-forge';

const { asn1 } = forge;
const { UNIVERSAL } = asn1.Class;

export type Node = forge.asn1.Asn1;

/** Forge represents octets as strings of one character each. */
const octetText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export function encode(node: Node): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}

export const sequence = (...items: Node[]): Node => asn1.create(UNIVERSAL, asn1.Type.SEQUENCE, true, items);

export const set = (...items: Node[]): Node => asn1.create(UNIVERSAL, asn1.Type.SET, true, items);

export const oid = (dotted: string): Node =>
  asn1.create(UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(dotted).getBytes());

export const nothing = (): Node => asn1.create(UNIVERSAL, asn1.Type.NULL, false, '');

export const yes = (): Node => asn1.create(UNIVERSAL, asn1.Type.BOOLEAN, false, '\xff');

/** `bytes` is the two's complement: positive numbers start below 0x80. */
export const integer = (bytes: Uint8Array): Node => asn1.create(UNIVERSAL, asn1.Type.INTEGER, false, octetText(bytes));

export const utf8 = (text: string): Node =>
  asn1.create(UNIVERSAL, asn1.Type.UTF8, false, octetText(Buffer.from(text, 'utf8')));

export const octets = (bytes: Uint8Array): Node =>
  asn1.create(UNIVERSAL, asn1.Type.OCTETSTRING, false, octetText(bytes));

export const bits = (unused: number, bytes: Uint8Array): Node =>
  asn1.create(UNIVERSAL, asn1.Type.BITSTRING, false, String.fromCharCode(unused) + octetText(bytes));

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280, section 4.1.2.5). `at`: epoch milliseconds. */
export function time(at: number): Node {
  const date = new Date(at);
  if (date.getUTCFullYear() < 2050) {
    return asn1.create(UNIVERSAL, asn1.Type.UTCTIME, false, asn1.dateToUtcTime(date));
  }
  return asn1.create(UNIVERSAL, asn1.Type.GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(date));
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 + bytes.length, ...bytes];
}

/** Wraps encoded parts in a tag, so that minting a leaf encodes only what differs between leaves. */
export function wrap(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(length)]), ...parts]);
}

export interface Element {
  readonly tag: number;
  /** Tag, length and value. */
  readonly whole: Buffer;
  readonly value: Buffer;
}

/** The consecutive elements in `bytes`. Long tags, which X.509 does not use, are not supported. */
export function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const size = first < 0x80 ? 0 : first - 0x80;
    const start = at + 2 + size;
    const end = start + (size === 0 ? first : bytes.readUIntBE(at + 2, size));
    if (end > bytes.length) throw new RangeError('a DER element is longer than what holds it');
    found.push({ tag, whole: bytes.subarray(at, end), value: bytes.subarray(start, end) });
    at = end;
  }
  return found;
}
