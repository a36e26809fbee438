/**
 * Joins the small pieces of a body as they arrive. A parser emits each chunk of the chunked coding (RFC 9112, section
 * 7.1) and each DATA frame by itself: to handle one costs far more than a copy, and one of a byte that waits holds 200
 * bytes, which no limit on bytes would count.
 */
import type { Readable } from 'node:stream';
import { Accumulator } from './accumulator.ts';

/** Bytes. Pieces this large stay as they are: to copy them would cost more than to handle them. */
const LARGE = 8 * 1024;
/** Bytes that are joined, at most: as many as a socket is read for at once. */
const JOINED = 64 * 1024;

/**
 * From now on, the first piece of a turn of the event loop is passed on at once, and the small ones after it as one
 * when the turn ends, or the message. For a message whose body has not begun.
 */
export function joinPieces(message: Readable): void {
  const push = message.push.bind(message);
  let waiting = new Accumulator();
  let begun = false;

  const flush = (): boolean => {
    if (waiting.length === 0) return true;
    const joined = waiting.bytes();
    waiting = new Accumulator();
    return message.destroyed || push(joined);
  };
  const endTurn = (): void => {
    begun = false;
    flush();
  };
  message.push = (piece: unknown, encoding?: BufferEncoding) => {
    if (!Buffer.isBuffer(piece) || piece.length >= LARGE) {
      flush();
      return push(piece, encoding);
    }
    if (!begun) {
      begun = true;
      setImmediate(endTurn);
      return push(piece);
    }
    waiting.append(piece);
    return waiting.length < JOINED || flush();
  };
}
