/** Pipes the body of a message to its next hop. Memory is released as it is written, and small pieces are joined. */
import { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { freeAfterWrite } from './free-memory.ts';

/** What takes a body: a request, or a response of either version of HTTP. */
export interface BodySink {
  write(chunk: Buffer, done?: (error?: Error | null) => void): boolean;
  readonly writableNeedDrain: boolean;
  on(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}

/** Bytes. Chunks this large are written as they are: to copy them would cost more than a write does. */
const LARGE = 8 * 1024;
/** Bytes that are joined into one write, at most: as many as a socket is read for at once. */
const JOINED = 64 * 1024;

/** A body without a coding comes in the pieces that were read, and there is nothing to join. */
function isInPieces(from: Readable): boolean {
  return !(from instanceof IncomingMessage) || from.headers['transfer-encoding'] !== undefined;
}

interface Joining {
  readonly take: (chunk: Buffer) => void;
  /** Writes what waits. */
  readonly flush: () => void;
  /** Forgets what waits. */
  readonly drop: () => void;
}

/** Writes the first chunk of a turn of the event loop at once, and the small ones after it as one when the turn ends. */
function joining(write: (chunk: Buffer) => void): Joining {
  let small: Buffer[] = [];
  let length = 0;
  let hasWritten = false;
  const drop = (): void => {
    small = [];
    length = 0;
  };
  const flush = (): void => {
    if (length === 0) return;
    const joined = Buffer.concat(small, length);
    drop();
    write(joined);
  };
  const endTurn = (): void => {
    hasWritten = false;
    flush();
  };
  const take = (chunk: Buffer): void => {
    if (!hasWritten) {
      hasWritten = true;
      setImmediate(endTurn);
      write(chunk);
      return;
    }
    if (chunk.length >= LARGE) {
      flush();
      write(chunk);
      return;
    }
    small.push(chunk);
    length += chunk.length;
    if (length >= JOINED) flush();
  };
  return { take, flush, drop };
}

/**
 * Pipes with back-pressure until either side is done. The end is not passed on, and the chunks must not be used by
 * anyone else afterwards.
 *
 * The parser emits each chunk of the chunked coding by itself (RFC 9112, section 7.1), and a write for each would cost
 * far more than the chunk: small ones that came together leave together.
 */
export function pipeBody(from: Readable, to: BodySink): void {
  const write = (chunk: Buffer): void => {
    if (!to.write(chunk, freeAfterWrite(chunk))) from.pause();
  };
  const joins = isInPieces(from) ? joining(write) : null;
  const take = joins?.take ?? write;
  const onDrain = (): void => void from.resume();
  to.on('drain', onDrain);
  to.on('close', () => {
    from.off('data', take);
    if (joins !== null) from.off('end', joins.flush);
    joins?.drop();
    to.off('drain', onDrain);
    // What has come to its end says no more.
    if (from.readableEnded) return;
    // Somebody else may read the rest, only to drop it, and need not wait for what is closed.
    if (from.listenerCount('data') === 0) from.pause();
    else from.resume();
  });
  from.on('data', take);
  // First of all its listeners: one of the others ends the sink.
  if (joins !== null) from.prependListener('end', joins.flush);
  if (to.writableNeedDrain) from.pause();
  else from.resume();
}
