/**
 * Passes a socket's bytes to a callback as they are read, bypassing its stream. Each station registers a callback in
 * turn; without one, bytes wait in the stream, where `node:http` or TLS can read them. For a short tunnel, the stream
 * and its events would cost as much as the decision.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { readInto } from './read-into.ts';

/** Receives a copy that it may keep. False: stop reading until {@link resumeReading}. */
export type OnBytes = (bytes: Buffer) => boolean;

const READING = Symbol('reading');

interface Reading {
  take: OnBytes | null;
  over: (() => void) | null;
  /** The listener, if the socket can only be read as a stream; otherwise null. */
  readonly onData: ((bytes: Buffer) => void) | null;
}

interface Read {
  [READING]?: Reading;
}

/** The read buffer of all sockets, of which only one is read at a time. */
const memory = Buffer.allocUnsafeSlow(64 * 1024);

function waysOf(socket: Duplex): Reading {
  if (socket instanceof Socket && !(socket instanceof TLSSocket)) {
    const direct: Reading = { take: null, over: null, onData: null };
    const callback = (length: number): boolean => {
      const bytes = Buffer.allocUnsafe(length);
      memory.copy(bytes, 0, 0, length);
      return direct.take === null ? socket.push(bytes) : direct.take(bytes);
    };
    if (readInto(socket, { buffer: memory, callback })) return direct;
  }
  const streamed: Reading = {
    take: null,
    over: null,
    onData(bytes) {
      const { take } = streamed;
      if (take?.(bytes) === false && streamed.take === take) socket.pause();
    },
  };
  return streamed;
}

function begin(socket: Duplex & Read): Reading {
  const reading = waysOf(socket);
  socket[READING] = reading;
  const tell = (): void => reading.over?.();
  socket.on('end', tell).on('close', tell);
  return reading;
}

/**
 * Passes buffered and future bytes to `take`, until {@link stopReading} or another call.
 *
 * @param over called when the socket ends, and when it closes.
 */
export function startReading(socket: Duplex & Read, take: OnBytes, over: (() => void) | null = null): void {
  const reading = socket[READING] ?? begin(socket);
  reading.over = over;
  const { onData } = reading;
  if (onData !== null) {
    if (reading.take === null) socket.on('data', onData);
    reading.take = take;
    socket.resume();
    return;
  }
  reading.take = take;
  let goOn = true;
  // `read` returns a single chunk if the stream is flowing.
  while (reading.take === take && socket.readableLength > 0) {
    const waiting: unknown = socket.read();
    if (!(waiting instanceof Buffer)) break;
    goOn = take(waiting);
  }
  if (goOn) socket.read(0);
}

/** From now on, bytes wait in the stream. */
export function stopReading(socket: Duplex & Read): void {
  const reading = socket[READING];
  if (reading?.take == null) return;
  reading.take = null;
  reading.over = null;
  if (reading.onData !== null) socket.pause().off('data', reading.onData);
}

/** Continues after a `take` that returned false. */
export function resumeReading(socket: Duplex & Read): void {
  if (socket[READING]?.onData === null) socket.read(0);
  else socket.resume();
}
