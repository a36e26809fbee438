/**
 * What comes from an origin, or from a client that sends much, read into memory that is used again.
 *
 * A stream of `node:net` allocates 64 KiB for each read, which for downloads costs more than the copying does. Here
 * small reads go through one buffer that all sockets share, and are copied out of it; a socket that fills it gets a
 * large buffer of its own, which the kernel writes from directly, and gives it back when it slows down. Reading stops
 * while that buffer is not written, so that a client who does not read costs one buffer and no more.
 */
import type { OnReadOpts, Socket } from 'node:net';

const SHARED = 64 * 1024;
const LARGE = 1024 * 1024;
/** Large buffers at once; further downloads go through the shared one. */
const MAX_LARGE = 64;
/**
 * Bytes that all downloads with large buffers together may move before the others have their turn: some milliseconds. By
 * itself libuv reads a socket 32 times over as long as each read fills its buffer, 32 MiB, while everybody else waits.
 */
const YIELD_AFTER = 16 * 1024 * 1024;
/** After this many small reads in a row, a socket returns its large buffer. */
const SMALL_READS_BEFORE_RELEASE = 16;

const shared = Buffer.allocUnsafeSlow(SHARED);
const free: Buffer[] = [];
let large = 0;

function takeLarge(): Buffer | null {
  const kept = free.pop();
  if (kept !== undefined) return kept;
  if (large >= MAX_LARGE) return null;
  large += 1;
  return Buffer.allocUnsafeSlow(LARGE);
}

/** Where the bytes go: a socket, or what behaves like one. */
export interface Sink {
  write(bytes: Buffer, done: () => void): boolean;
  readonly writableLength: number;
}

export interface Feed {
  /** For `net.connect`, or for `readInto`. */
  readonly onread: OnReadOpts;
  /** The socket that is read with `onread`, as soon as there is one. */
  readonly attach: (socket: Socket) => void;
  /** Calls back when bytes arrive before {@link Feed.flowTo}, or the source ends; null removes the listener. */
  readonly onFirstBytes: (listener: (() => void) | null) => void;
  /**
   * Everything from now on, and what is there already, goes to `sink`.
   *
   * @param look is shown it first, until it has seen enough and says so by true.
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
  let own: Buffer | null = null;
  let writing = 0;
  let waiting = false;
  let small = 0;
  let moved = 0;

  const giveBack = (): void => {
    if (own === null) return;
    if (waiting)
      large -= 1; // the kernel still has to read it: it is freed when that write ends
    else free.push(own);
    own = null;
  };
  const onWritten = (): void => {
    writing -= 1;
    if (!waiting || writing > 0) return;
    waiting = false;
    source?.resume();
  };
  /** True: go on reading. */
  const pass = (bytes: Buffer, to: Sink): boolean => {
    if (looking?.(bytes) === true) looking = null;
    writing += 1;
    to.write(bytes, onWritten);
    // Nothing queued: the kernel took it all, and the memory may be written over.
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
        own = takeLarge();
        small = 0;
      }
      return pass(Buffer.from(shared.subarray(0, length)), sink);
    }
    const goOn = pass(own.subarray(0, length), sink);
    small = length < SHARED / 4 ? small + 1 : 0;
    if (goOn && small > SMALL_READS_BEFORE_RELEASE) giveBack();
    moved += length;
    if (!goOn || moved < YIELD_AFTER / (large - free.length)) return goOn;
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
    giveBack();
    onEnd();
  };

  return {
    onread: { buffer: () => own ?? shared, callback },
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
