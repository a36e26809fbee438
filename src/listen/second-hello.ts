/**
 * The second hello of a TLS client, which a server asks for where it wants another key share (HelloRetryRequest, RFC 8446,
 * section 4.1.4). It must name the server that the first one did, and servers go by what it names: one that was judged
 * under its first name would otherwise speak to whoever the second one says.
 *
 * What is looked at ends with the server's first words, for nearly everybody: only who is asked for a second hello can say
 * one. A client may say it before it is asked.
 */
import type { HelloWatch, Target } from '../flow.ts';
import { createClientHelloReader, HANDSHAKE, isRecordType, type ClientHelloReader } from './client-hello.ts';
import { serverNameOf } from './hello.ts';

const SERVER_HELLO = 2;
/** The random of a ServerHello that asks for another hello (RFC 8446, section 4.1.3), and where it stands. */
const RETRY = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');
const RETRY_AT = 11;
const RETRY_END = RETRY_AT + RETRY.length;
/** Type, version and length of a record. */
const HEAD = 5;

const nothing = Buffer.alloc(0);

/** Where the records of a whole hello end; -1 where there is more in the last of them, which no client sends. */
function endOf(bytes: Buffer): number {
  let head = 0;
  let have = 0;
  for (let at = 0; at + HEAD <= bytes.length;) {
    const size = bytes.readUInt16BE(at + 3);
    for (let i = have; i < 4 && i < have + size; i += 1) head = head * 256 + (bytes[at + HEAD + i - have] ?? 0);
    have += size;
    at += HEAD + size;
    const need = (head % 2 ** 24) + 4;
    if (have >= 4 && have >= need) return have === need ? at : -1;
  }
  return -1;
}

function asksAgain(bytes: Buffer): boolean {
  return (
    bytes[0] === HANDSHAKE && bytes[HEAD] === SERVER_HELLO && bytes.compare(RETRY, 0, 32, RETRY_AT, RETRY_END) === 0
  );
}

/** @param first the name in the first hello; null: there was none. */
export function createHelloWatch(first: Target | null): HelloWatch {
  let begun = false;
  let over = false;
  let asked = false;
  /** What the server fromClient, while it is too little to tell. */
  let words: Buffer = nothing;
  /** Bytes of the current record that are still to come. */
  let left = 0;
  /** What of the client's may not go on yet: the head of a record, or a hello. */
  let held: Buffer = nothing;
  let reader: ClientHelloReader | null = null;
  const chunks: Buffer[] = [];

  const isSame = (name: string | null): boolean => {
    const target = name === null ? null : serverNameOf(name, first?.port ?? 0);
    return (name === null) === (target === null) && target?.host === first?.host;
  };

  /** A second hello: all of it goes on, or nothing does. */
  const read = (bytes: Buffer): Buffer | null => {
    reader ??= createClientHelloReader();
    chunks.push(bytes);
    const hello = reader.push(bytes);
    if (hello.kind === 'more') return nothing;
    over = true;
    const whole = Buffer.concat(chunks.splice(0));
    if (hello.kind === 'bad' && hello.why === 'not-tls') return whole;
    return hello.kind === 'hello' && isSame(hello.serverName) ? whole : null;
  };

  /** Goes over the records from `start` on. What stands before the first one of a handshake goes on. */
  const walk = (bytes: Buffer, start: number): Buffer | null => {
    for (let at = start; ;) {
      if (at + left >= bytes.length) {
        left -= bytes.length - at;
        return bytes;
      }
      at += left;
      left = 0;
      const rest = bytes.subarray(at);
      // Records of any version and any length, for some servers read those too (RFC 8446, section 5.1). What is none ends a
      // TLS server's part in the connection, so that no hello behind it is fromServer.
      if (!isRecordType(rest[0] ?? 0)) {
        over = true;
        return bytes;
      }
      if (rest.length < HEAD) {
        held = rest;
        return bytes.subarray(0, at);
      }
      if (rest[0] === HANDSHAKE) {
        const second = read(rest);
        return second === null ? null : Buffer.concat([bytes.subarray(0, at), second]);
      }
      left = HEAD + rest.readUInt16BE(3);
    }
  };

  return {
    fromClient(bytes) {
      if (!begun) {
        begun = true;
        const end = endOf(bytes);
        return end === -1 ? null : walk(bytes, end);
      }
      if (reader !== null) return read(bytes);
      const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      held = nothing;
      return walk(all, 0);
    },
    fromServer(bytes) {
      if (asked) return null;
      words = words.length === 0 ? bytes : Buffer.concat([words, bytes]);
      if (words.length < RETRY_END && words[0] === HANDSHAKE) {
        // The memory that they came in is used again.
        words = Buffer.from(words);
        return null;
      }
      asked = asksAgain(words);
      words = nothing;
      if (asked) return null;
      over = true;
      const after = Buffer.concat([held, ...chunks.splice(0)]);
      held = nothing;
      return after;
    },
    over: () => over,
  };
}
