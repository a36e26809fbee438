/**
 * X.509 v3 certificates (RFC 5280): that of the CA, and leaves for exactly one host. This file assembles the bytes to
 * be signed; keys, signatures and digests come from node:crypto, since those of node-forge are too slow for a proxy and
 * do not support elliptic curves.
 */
import {
  createHash,
  createPublicKey,
  generateKeyPair,
  randomBytes,
  sign,
  type KeyObject,
  type X509Certificate,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { HostKind } from '../flow.ts';
import { addressOctets } from './address.ts';
import {
  bits,
  elements,
  encode,
  integer,
  nothing,
  octets,
  oid,
  sequence,
  set,
  time,
  utf8,
  wrap,
  yes,
  type Element,
  type Node,
} from './der.ts';

export type KeyType = 'ecdsa-p256' | 'rsa-2048';

const day = 86_400_000;
/** Milliseconds by which `notBefore` is set back, for clients whose clock is slow. */
export const backdated = day;
const authorityLife = 1826 * day;

/** Maximum length of O and CN in characters (RFC 5280, appendix A.1). */
const maxNamePart = 64;

const ids = {
  commonName: '2.5.4.3',
  organisation: '2.5.4.10',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
} as const;

/** The parts of a CA needed to issue certificates. */
export interface Issuer {
  readonly key: KeyObject;
  /** The CA's subject, DER as in its certificate. */
  readonly subjectDer: Buffer;
  readonly subjectKeyId: Buffer;
}

/** Generates a private key of the configured type. */
export async function generateKey(keyType: KeyType): Promise<KeyObject> {
  const generate = promisify(generateKeyPair);
  const pair =
    keyType === 'rsa-2048'
      ? await generate('rsa', { modulusLength: 2048 })
      : await generate('ec', { namedCurve: 'P-256' });
  return pair.privateKey;
}

/** SubjectPublicKeyInfo, DER. */
export function publicKeyInfo(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' });
}

/** 160 bits of SHA-256 over the public key's bits (RFC 7093, section 2, method 1). */
export function keyId(spki: Buffer): Buffer {
  const [info] = elements(spki);
  const key = info === undefined ? undefined : elements(info.value)[1];
  if (key === undefined) throw new RangeError('not a SubjectPublicKeyInfo');
  return createHash('sha256').update(key.value.subarray(1)).digest().subarray(0, 20);
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function algorithm(key: KeyObject): Buffer {
  // RSA has NULL parameters (RFC 4055, section 5), ECDSA has none (RFC 5758, section 3.2).
  const rsa = sequence(oid(ids.sha256WithRsa), nothing());
  return encode(key.asymmetricKeyType === 'rsa' ? rsa : sequence(oid(ids.ecdsaWithSha256)));
}

const extension = (id: string, value: Uint8Array): Buffer => encode(sequence(oid(id), octets(value)));

const criticalExtension = (id: string, value: Uint8Array): Buffer => encode(sequence(oid(id), yes(), octets(value)));

const namePart = (id: string, text: string): Node => set(sequence(oid(id), utf8(text)));

const validity = (from: number, until: number): Buffer => encode(sequence(time(from), time(until)));

/** 126 random bits: positive, always 16 octets, unique (RFC 5280, section 4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return encode(integer(bytes));
}

const version3 = wrap(0xa0, encode(integer(Uint8Array.of(2))));

function signed(key: KeyObject, algorithmDer: Buffer, parts: readonly Buffer[]): string {
  const body = wrap(0x30, ...parts);
  const signature = sign('sha256', body, key);
  return toPem(wrap(0x30, body, algorithmDer, wrap(0x03, Uint8Array.of(0), signature)));
}

const shortened = (text: string, length: number): string => Array.from(text).slice(0, length).join('').trim();

/** `O` is the organisation, `CN` a name that people can find among a hundred CAs. */
function authorityName(organisation: string, id: Buffer, now: number): Buffer {
  const tail = `Sallyport CA ${new Date(now).getUTCFullYear()} ${id.toString('hex', 0, 3)}`;
  const owner = shortened(organisation, maxNamePart - tail.length - 1);
  const named = owner === 'Sallyport' ? tail : `${owner} ${tail}`.trim();
  const commonName = namePart(ids.commonName, named);
  if (owner === '') return encode(sequence(commonName));
  return encode(sequence(namePart(ids.organisation, shortened(organisation, maxNamePart)), commonName));
}

/**
 * Creates a self-signed CA certificate for `key`, PEM. It may sign only leaves, and is valid for five years.
 *
 * @param now epoch milliseconds.
 */
export function authorityCertificate(key: KeyObject, organisation: string, now: number): string {
  const spki = publicKeyInfo(key);
  const id = keyId(spki);
  const name = authorityName(organisation, id, now);
  const algorithmDer = algorithm(key);
  const extensions = wrap(
    0xa3,
    wrap(
      0x30,
      criticalExtension(ids.basicConstraints, encode(sequence(yes(), integer(Uint8Array.of(0))))),
      // keyCertSign and cRLSign: bits 5 and 6; the last bit is unused.
      criticalExtension(ids.keyUsage, encode(bits(1, Uint8Array.of(0x06)))),
      extension(ids.subjectKeyId, encode(octets(id))),
    ),
  );
  const times = validity(now - backdated, now + authorityLife);
  return signed(key, algorithmDer, [version3, serialNumber(), algorithmDer, name, times, name, spki, extensions]);
}

export interface Extension {
  readonly critical: boolean;
  /** DER; its type depends on the extension. */
  readonly value: Buffer;
}

/** The fields of the TBSCertificate (RFC 5280, section 4.1). */
export function fieldsOf(certificate: X509Certificate): readonly Element[] {
  return elements(elements(elements(certificate.raw)[0]?.value ?? Buffer.of())[0]?.value ?? Buffer.of());
}

/** An extension of a certificate, or null if it has none of that kind. */
export function findExtension(certificate: X509Certificate, name: keyof typeof ids): Extension | null {
  const id = encode(oid(ids[name]));
  const all = elements(fieldsOf(certificate).find((field) => field.tag === 0xa3)?.value ?? Buffer.of())[0];
  for (const { value } of elements(all?.value ?? Buffer.of())) {
    const parts = elements(value);
    const octetString = parts.at(-1);
    // `critical` defaults to FALSE.
    if (octetString !== undefined && parts[0]?.whole.equals(id) === true) {
      return { critical: parts.length === 3 && parts[1]?.value[0] !== 0, value: octetString.value };
    }
  }
  return null;
}

export interface Host {
  readonly host: string;
  readonly kind: HostKind;
}

/** Issues a certificate, PEM, for exactly `host` and `others`; `from` and `until` are epoch milliseconds. */
export type Mint = (host: Host, from: number, until: number, others?: readonly Host[]) => string;

/**
 * Prepares to mint leaves that share a key. What all leaves have in common is encoded once, so that a new name costs
 * one signature and little else.
 */
export function createMint(issuer: Issuer, leafKey: KeyObject): Mint {
  const algorithmDer = algorithm(issuer.key);
  const spki = publicKeyInfo(leafKey);
  // digitalSignature and, for RSA, keyEncipherment, which some TLS 1.2 clients require for RSA key exchange.
  const isRsa = leafKey.asymmetricKeyType === 'rsa';
  const usage = isRsa ? bits(5, Uint8Array.of(0xa0)) : bits(7, Uint8Array.of(0x80));
  const fixed = Buffer.concat([
    criticalExtension(ids.basicConstraints, encode(sequence())),
    criticalExtension(ids.keyUsage, encode(usage)),
    extension(ids.extendedKeyUsage, encode(sequence(oid(ids.serverAuth)))),
    extension(ids.subjectKeyId, encode(octets(keyId(spki)))),
    extension(ids.authorityKeyId, wrap(0x30, wrap(0x80, issuer.subjectKeyId))),
  ]);
  // GeneralName: [2] dNSName or [7] iPAddress.
  const general = ({ host, kind }: Host): Buffer =>
    kind === 'name' ? wrap(0x82, Buffer.from(host, 'latin1')) : wrap(0x87, addressOctets(host, kind));
  return ({ host, kind }, from, until, others = []) => {
    const all = [general({ host, kind }), ...others.map(general)];
    const named = host.length <= maxNamePart;
    const subject = encode(named ? sequence(namePart(ids.commonName, host)) : sequence());
    // Without a subject, the alternative name must be critical (RFC 5280, section 4.2.1.6).
    const names = (named ? extension : criticalExtension)(ids.subjectAltName, wrap(0x30, ...all));
    const times = validity(from, until);
    const extensions = wrap(0xa3, wrap(0x30, names, fixed));
    const head = [version3, serialNumber(), algorithmDer, issuer.subjectDer];
    return signed(issuer.key, algorithmDer, [...head, times, subject, spki, extensions]);
  };
}
