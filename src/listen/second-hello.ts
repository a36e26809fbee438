/**
 * Checks the second hello of a TLS client, which a server requests if it wants another key share (HelloRetryRequest,
 * RFC 8446, section 4.1.4). It must name the same server: servers use the name in the second hello, so a client could
 * otherwise be judged by one name and reach another.
 *
 * For nearly every client, inspection ends with the server's first bytes, as only a client that was asked for a second
 * hello can send one. It may send one before it is asked.
 */
import type { HelloWatch, Target } from '../flow.ts';
import { Accumulator } from '../accumulator.ts';
import { createClientHelloReader, HANDSHAKE, isRecordType, type ClientHelloReader } from './client-hello.ts';
import { serverNameOf } from './hello.ts';

const SERVER_HELLO = 2;
/** The random of a HelloRetryRequest (RFC 8446, section 4.1.3), and its offset. */
const RETRY = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');
const RETRY_AT = 11;
const RETRY_END = RETRY_AT + RETRY.length;
/** Bytes of a record header: type, version and length. */
const HEAD = 5;

const nothing = Buffer.alloc(0);

/** Offset after the records of a complete hello; -1 if the last record contains more, which no client sends. */
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

/** @param first the name in the first hello; null if there was none. */
export function createHelloWatch(first: Target | null): HelloWatch {
  let begun = false;
  let over = false;
  let asked = false;
  /** The server's first bytes, while they are too few to tell. */
  let words: Buffer = nothing;
  /** Bytes of the current record that are still to come. */
  let left = 0;
  /** Client bytes that are held back: a record header, or a hello. */
  let held: Buffer = nothing;
  let reader: ClientHelloReader | null = null;
  /** Records of a second hello that is not complete. */
  let waiting: Accumulator | null = null;

  const isSame = (name: string | null): boolean => {
    const target = name === null ? null : serverNameOf(name, first?.port ?? 0);
    return (name === null) === (target === null) && target?.host === first?.host;
  };

  /** A second hello: it is passed on whole, or not at all. */
  const read = (bytes: Buffer): Buffer | null => {
    reader ??= createClientHelloReader();
    waiting ??= new Accumulator();
    waiting.append(bytes);
    const hello = reader.push(bytes);
    if (hello.kind === 'more') return nothing;
    over = true;
    const whole = waiting.bytes();
    waiting = null;
    if (hello.kind === 'bad' && hello.why === 'not-tls') return whole;
    return hello.kind === 'hello' && isSame(hello.serverName) ? whole : null;
  };

  /** Walks the records from `start` on, and passes on everything before the first handshake record. */
  const walk = (bytes: Buffer, start: number): Buffer | null => {
    for (let at = start; ;) {
      if (at + left >= bytes.length) {
        left -= bytes.length - at;
        return bytes;
      }
      at += left;
      left = 0;
      const rest = bytes.subarray(at);
      // Some servers accept records of any version and length (RFC 8446, section 5.1). Anything that is not a record
      // ends TLS for the server, so that it would not read a hello after it.
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
        // Copied, because the memory is reused.
        words = Buffer.from(words);
        return null;
      }
      asked = asksAgain(words);
      words = nothing;
      if (asked) return null;
      over = true;
      const after = Buffer.concat([held, waiting?.bytes() ?? nothing]);
      waiting = null;
      held = nothing;
      return after;
    },
    over: () => over,
  };
}
