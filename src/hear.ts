/**
 * What a peer says, handed over as it is read, without the stream in between: each station takes it in turn, and what
 * comes while none does waits in the stream, where anything else may read it (`node:http`, TLS). A stream and its events
 * cost a short tunnel as much as deciding about it.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { readInto } from './read-into.ts';

/** Is given its own copy. False: nothing more for now; {@link hearOn} goes on. */
export type Take = (bytes: Buffer) => boolean;

const HEARING = Symbol('hearing');

interface Hearing {
  take: Take | null;
  over: (() => void) | null;
  /** Where the socket can only be read as a stream: its listener. */
  readonly onData: ((bytes: Buffer) => void) | null;
}

interface Heard {
  [HEARING]?: Hearing;
}

/** All sockets are read into it, one after the other. */
const memory = Buffer.allocUnsafeSlow(64 * 1024);

function waysOf(socket: Duplex): Hearing {
  if (socket instanceof Socket && !(socket instanceof TLSSocket)) {
    const direct: Hearing = { take: null, over: null, onData: null };
    const callback = (length: number): boolean => {
      const bytes = Buffer.allocUnsafe(length);
      memory.copy(bytes, 0, 0, length);
      return direct.take === null ? socket.push(bytes) : direct.take(bytes);
    };
    if (readInto(socket, { buffer: memory, callback })) return direct;
  }
  const streamed: Hearing = {
    take: null,
    over: null,
    onData(bytes) {
      const { take } = streamed;
      if (take?.(bytes) === false && streamed.take === take) socket.pause();
    },
  };
  return streamed;
}

function begin(socket: Duplex & Heard): Hearing {
  const hearing = waysOf(socket);
  socket[HEARING] = hearing;
  const tell = (): void => hearing.over?.();
  socket.on('end', tell).on('close', tell);
  return hearing;
}

/**
 * Hands all that is there, and all that comes, to `take`, until {@link hush} or until somebody else hears.
 *
 * @param over called when it has ended or is closed, and again where it ends and is closed later.
 */
export function hear(socket: Duplex & Heard, take: Take, over: (() => void) | null = null): void {
  const hearing = socket[HEARING] ?? begin(socket);
  hearing.over = over;
  const { onData } = hearing;
  if (onData !== null) {
    if (hearing.take === null) socket.on('data', onData);
    hearing.take = take;
    socket.resume();
    return;
  }
  hearing.take = take;
  let goOn = true;
  // A stream that flows gives its pieces one by one.
  while (hearing.take === take && socket.readableLength > 0) {
    const waiting: unknown = socket.read();
    if (!(waiting instanceof Buffer)) break;
    goOn = take(waiting);
  }
  if (goOn) socket.read(0);
}

/** Nobody takes what comes from now on: it waits in the stream. */
export function hush(socket: Duplex & Heard): void {
  const hearing = socket[HEARING];
  if (hearing?.take == null) return;
  hearing.take = null;
  hearing.over = null;
  if (hearing.onData !== null) socket.pause().off('data', hearing.onData);
}

/** Goes on after a `take` that said false. */
export function hearOn(socket: Duplex & Heard): void {
  if (socket[HEARING]?.onData === null) socket.read(0);
  else socket.resume();
}
