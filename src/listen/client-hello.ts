/**
 * Reads a TLS ClientHello (RFC 8446, section 4.1.2) from the first bytes of a tunnel: server name, ALPN, whether
 * another hello may be hidden in it, and whether the client could resume a session.
 *
 * A hello may be split across segments and records in any way (RFC 8446, section 5.1) and, with post-quantum key
 * shares, be larger than one record. Whatever OpenSSL would accept is read; what cannot be read is never taken for "no
 * name".
 */

import { Accumulator } from '../accumulator.ts';

/** Bytes of the largest hello that is read. Real ones are 0.3 to 4 KiB. */
export const MAX_HELLO = 64 * 1024;
/** Records of a hello. Tools that split it use a few; beyond this the framing is an attack. */
const MAX_RECORDS = 4096;

export const HANDSHAKE = 22;
/** The lowest and highest type of a TLS record: change_cipher_spec and heartbeat (RFC 6520, section 3). */
const FIRST_TYPE = 20;
const LAST_TYPE = 24;
const CLIENT_HELLO = 1;
/**
 * First bytes that a record's content may have even if the record's version is unknown: a hello, change_cipher_spec,
 * the level of an alert. Servers should ignore the version, and some do (RFC 8446, section 5.1), so a hello may hide in
 * a record of any version. Other protocols begin differently: MongoDB's, for example, with a length, which may look
 * like a record head, and then a zero.
 */
const mayBegin: ReadonlySet<number> = new Set([CLIENT_HELLO, 2]);
const SERVER_NAME = 0;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;
const PSK_KEY_EXCHANGE_MODES = 45;
/** encrypted_client_hello (RFC 9849, section 5). */
const ECH = 0xfe0d;

export type ClientHello =
  | {
      readonly kind: 'hello';
      readonly serverName: string | null;
      readonly alpn: readonly string[];
      /** It has the extension for an encrypted hello, which cannot be told from GREASE. */
      readonly ech: boolean;
      /** False if it is TLS 1.3 and offers no way to resume a session, so that tickets are useless (section 4.2.9). */
      readonly resumable: boolean;
    }
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly why: 'not-tls' | 'malformed-tls' | 'too-large' };

const more: ClientHello = { kind: 'more' };
const notTls: ClientHello = { kind: 'bad', why: 'not-tls' };
const malformed: ClientHello = { kind: 'bad', why: 'malformed-tls' };
const tooLarge: ClientHello = { kind: 'bad', why: 'too-large' };

export function isRecordType(type: number): boolean {
  return type >= FIRST_TYPE && type <= LAST_TYPE;
}

interface Unframer {
  /** Takes the next bytes; returns the body of the handshake message once it is complete. */
  push(bytes: Buffer): Buffer | ClientHello;
}

/**
 * Removes the record framing, reading each byte once however it was split. A hello in one record and one segment is not
 * copied.
 */
function createUnframer(): Unframer {
  const body = new Accumulator();
  const head = Buffer.allocUnsafe(5);
  let headBytes = 0;
  let left = 0; // of the current record
  let framed = 0;
  let records = 0;
  let need = 0; // of the message; 0 until its header is complete
  let strange = false; // the first record has an unknown version

  /** Null: the record header is not complete yet. */
  const recordHead = (): ClientHello | null => {
    const first = framed <= 5;
    const type = head[0] ?? 0;
    if (first && !isRecordType(type)) return notTls;
    strange = headBytes > 1 && head[1] !== 3;
    if (strange) {
      if (!first) return malformed;
      if (headBytes < 5) return null;
      left = head.readUInt16BE(3);
      return left === 0 ? malformed : null;
    }
    if (headBytes < (first ? 2 : 1)) return null;
    // Some servers skip an alert before a hello, and would then answer a hello that was not read here.
    if (type !== HANDSHAKE) return malformed;
    if (headBytes < 5) return null;
    left = head.readUInt16BE(3);
    headBytes = 0;
    return left > 16_384 ? malformed : null;
  };

  const message = (): Buffer | ClientHello | null => {
    if (need === 0 && body.length >= 4) {
      const start = body.bytes();
      if (start[0] !== CLIENT_HELLO) return malformed;
      need = start.readUIntBE(1, 3) + 4;
      if (need > MAX_HELLO) return tooLarge;
    }
    return need === 0 || body.length < need ? null : body.bytes().subarray(4, need);
  };

  return {
    push(bytes) {
      let at = 0;
      while (at < bytes.length) {
        if (left > 0) {
          if (strange) return mayBegin.has(bytes[at] ?? 0) ? malformed : notTls;
          const fragment = bytes.subarray(at, at + left);
          at += fragment.length;
          left -= fragment.length;
          framed += fragment.length;
          body.append(fragment);
          const result = message();
          if (result !== null) return result;
        } else {
          const taken = bytes.copy(head, headBytes, at, at + 5 - headBytes);
          at += taken;
          headBytes += taken;
          framed += taken;
          const problem = recordHead();
          if (problem !== null) return problem;
          if (headBytes === 0 && ++records > MAX_RECORDS) return tooLarge;
        }
      }
      return more;
    },
  };
}

/** Reads bytes from the front. Beyond the end the result is null or false. */
class Stretch {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get length(): number {
    return this.#end - this.#at;
  }

  number(size: number): number | null {
    if (size > this.length) return null;
    let value = 0;
    // Buffer.readUIntBE would make a hello a quarter more expensive on Node.js 20.
    for (const end = this.#at + size; this.#at < end; this.#at += 1) value = value * 256 + (this.#bytes[this.#at] ?? 0);
    return value;
  }

  advance(length: number): boolean {
    if (length > this.length) return false;
    this.#at += length;
    return true;
  }

  /** A vector with a length prefix of `size` bytes (RFC 8446, section 3.4). */
  vector(size: number): Stretch | null {
    const length = this.number(size);
    return length !== null && this.advance(length) ? new Stretch(this.#bytes, this.#at - length, this.#at) : null;
  }

  text(): string {
    return this.#bytes.toString('latin1', this.#at, this.#end);
  }
}

/** RFC 6066, section 3: one list with one host_name. Null if malformed. */
function readServerName(extension: Stretch): string | null {
  const list = extension.vector(2);
  if (list === null || extension.length > 0) return null;
  const type = list.number(1);
  const name = list.vector(2);
  if (type !== 0 || name === null || name.length === 0 || list.length > 0) return null;
  return name.text();
}

/** RFC 7301, section 3.1. Null if malformed. */
function readAlpn(extension: Stretch): string[] | null {
  const names = extension.vector(2);
  if (names === null) return null;
  const found: string[] = [];
  while (names.length > 0) {
    const name = names.vector(1);
    if (name === null) return null;
    found.push(name.text());
  }
  return found;
}

function readExtensions(extensions: Stretch): ClientHello {
  let serverName: string | null = null;
  let alpn: readonly string[] = [];
  let ech = false;
  let versions = false;
  let modes = false;
  while (extensions.length > 0) {
    const type = extensions.number(2);
    const body = extensions.vector(2);
    if (body === null) return malformed;
    if (type === SERVER_NAME) {
      // A second server name could be read by someone else (RFC 8446, section 4.2: at most one extension of each type).
      if (serverName !== null) return malformed;
      serverName = readServerName(body);
      if (serverName === null) return malformed;
    } else if (type === ALPN) {
      const offered = readAlpn(body);
      if (offered === null) return malformed;
      alpn = offered;
    } else if (type === ECH) ech = true;
    else if (type === SUPPORTED_VERSIONS) versions = true;
    else if (type === PSK_KEY_EXCHANGE_MODES) modes = true;
  }
  return { kind: 'hello', serverName, alpn, ech, resumable: modes || !versions };
}

function readBody(body: Stretch): ClientHello {
  const isWhole =
    body.advance(34) && // legacy_version, random
    body.vector(1) !== null && // legacy_session_id
    body.vector(2) !== null && // cipher_suites
    body.vector(1) !== null; // legacy_compression_methods
  if (!isWhole) return malformed;
  // TLS before 1.3 may have no extensions.
  const extensions = body.length === 0 ? body : body.vector(2);
  return extensions === null || body.length > 0 ? malformed : readExtensions(extensions);
}

export interface ClientHelloReader {
  /** Takes the next bytes of the stream; `more` until the whole hello has come. Never throws. */
  push(bytes: Buffer): ClientHello;
}

export function createClientHelloReader(): ClientHelloReader {
  const records = createUnframer();
  return {
    push(bytes) {
      const body = records.push(bytes);
      return Buffer.isBuffer(body) ? readBody(new Stretch(body)) : body;
    },
  };
}
