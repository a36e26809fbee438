/**
 * Reads an origin, or a client with a large upload, into reused buffers.
 *
 * A `node:net` stream allocates 64 KiB per read, which for downloads costs more than the copying. Here, small reads go
 * through one buffer shared by all sockets and are copied out of it; a socket that fills it gets a large buffer of its
 * own, which is written out without a copy, and returns it when it slows down or pauses. Reading stops until that
 * buffer has been written, so a client that does not read ties up only one buffer.
 */
import type { OnReadOpts, Socket } from 'node:net';
import { readInto } from '../read-into.ts';
import { borrow, giveBack, lent, type Loan } from './large-buffers.ts';

const SHARED = 64 * 1024;
/**
 * Bytes that all downloads with large buffers together may move before yielding to the event loop: a few milliseconds.
 * libuv alone would read a socket up to 32 times in a row while each read fills the buffer: 32 MiB.
 */
const YIELD_AFTER = 16 * 1024 * 1024;
/** After this many small reads in a row, a socket returns its large buffer. */
const SMALL_READS_BEFORE_RELEASE = 16;

const shared = Buffer.allocUnsafeSlow(SHARED);
/** For copies of small reads; each is used again once it has been written. */
const pieces: Buffer[] = [];
/** 16 MiB; more than that are in use only if that many sockets do not read. */
const MAX_PIECES = 256;

/** Where the bytes go: a socket, or something that behaves like one. */
export interface Sink {
  write(bytes: Buffer, done: (error?: Error | null) => void): boolean;
  readonly writableLength: number;
}

export interface Feed {
  /** For `net.connect`, or for `readInto`. */
  readonly onread: OnReadOpts;
  /** Sets the socket that is read with `onread`; call it as soon as the socket exists. */
  readonly attach: (socket: Socket) => void;
  /** Calls back when bytes arrive before {@link Feed.flowTo}, or the source ends; null removes the listener. */
  readonly onFirstBytes: (listener: (() => void) | null) => void;
  /**
   * Sends bytes already received, and all that follow, to `sink`.
   *
   * @param look sees them first, until it returns true.
   */
  readonly flowTo: (sink: Sink, look?: (bytes: Buffer) => boolean) => void;
}

export function createFeed(): Feed {
  let source: Socket | null = null;
  let sink: Sink | null = null;
  let held: Buffer | null = null;
  let spoken: (() => void) | null = null;
  let ended = false;
  let looking: ((bytes: Buffer) => boolean) | null = null;
  let own: Loan | null = null;
  let writing = 0;
  let waiting = false;
  let small = 0;
  let moved = 0;
  let piece: Buffer | null = null;

  const release = (): void => {
    if (own === null) return;
    giveBack(own, waiting);
    own = null;
  };
  const rested = (): void => {
    const loan = own;
    if (loan === null || source === null || waiting) return;
    own = null;
    // Otherwise its next read would still go into the large buffer.
    if (readInto(source, onread)) giveBack(loan, false);
    else own = loan;
  };
  const onWritten = (error?: Error | null): void => {
    writing -= 1;
    if (!waiting || writing > 0) return;
    waiting = false;
    // After a failed write, it may still be in use.
    if (piece !== null && error == null && pieces.length < MAX_PIECES) pieces.push(piece);
    piece = null;
    source?.resume();
  };
  /** Returns whether to go on reading. */
  const pass = (bytes: Buffer, to: Sink): boolean => {
    if (looking?.(bytes) === true) looking = null;
    writing += 1;
    to.write(bytes, onWritten);
    // Nothing is queued: the kernel has copied everything, so the buffer may be overwritten.
    if (to.writableLength === 0) return true;
    waiting = true;
    return false;
  };

  const callback = (length: number): boolean => {
    if (sink === null) {
      held = Buffer.from(shared.subarray(0, length));
      spoken?.();
      return false;
    }
    if (own === null) {
      if (length === SHARED) {
        own = borrow(rested);
        small = 0;
      }
      const copy = pieces.pop() ?? Buffer.allocUnsafeSlow(SHARED);
      shared.copy(copy, 0, 0, length);
      const isTaken = pass(copy.subarray(0, length), sink);
      if (isTaken) pieces.push(copy);
      else piece = copy;
      return isTaken;
    }
    own.isUsed = true;
    const goOn = pass(own.buffer.subarray(0, length), sink);
    small = length < SHARED / 4 ? small + 1 : 0;
    if (goOn && small > SMALL_READS_BEFORE_RELEASE) release();
    moved += length;
    if (!goOn || moved < YIELD_AFTER / lent()) return goOn;
    moved = 0;
    setImmediate(() => {
      if (!waiting) source?.resume();
    });
    return false;
  };

  const onEnd = (): void => {
    ended = true;
    spoken?.();
  };
  const onClose = (): void => {
    release();
    onEnd();
  };

  const onread = { buffer: () => own?.buffer ?? shared, callback };
  return {
    onread,
    attach(socket) {
      source = socket;
      socket.on('end', onEnd).on('close', onClose);
    },
    onFirstBytes(listener) {
      spoken = listener;
      if (held !== null || ended) listener?.();
    },
    flowTo(to, look) {
      sink = to;
      looking = look ?? null;
      if (held === null || pass(held, to)) source?.resume();
      held = null;
    },
  };
}
