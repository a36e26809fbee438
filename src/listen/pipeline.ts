/**
 * Pipelined requests (RFC 9112, section 9.3.2): one of each connection is in progress, and the others wait. Otherwise
 * one connection could open thousands to origins, and when a client leaves, Node.js tells only the response that is
 * next.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { startReading, stopReading } from '../reading.ts';
import { reset } from '../reset.ts';

/**
 * Bytes that the waiting requests of one connection may hold. All requests of one read arrive before any can be held
 * back.
 */
const MOST_HELD = 4 << 20;
/** The same for all connections. Beyond it, each connection may hold only its share, a dozen small requests. */
const MOST_HELD_BY_ALL = 128 << 20;
const SHARE = 48 << 10;
/** Bytes that a request holds besides its text: Node.js objects, and for each field the cost of keeping it twice. */
const EACH = 3 << 10;
const EACH_FIELD = 100;

/** Bytes after an upgrade request that are read before its turn; more wait in the kernel. */
const MOST_EARLY = 32 << 10;

interface Turn {
  /** Null for an upgrade, which has no response object and is the last of its queue. */
  readonly res: ServerResponse | null;
  readonly start: () => void;
  /** Bytes; 0 if it never waited. */
  held: number;
}

/**
 * Property of a connection that holds the responses it owes, in order; the first is in progress. A map entry for each
 * connection would cost more than everything else here, and more again at garbage collection.
 */
const LINE = Symbol('line');

interface Line {
  readonly queue: Turn[];
  held: number;
}

interface Lined {
  [LINE]?: Line;
}

let heldByAll = 0;

/** About how much memory a request holds, without its body. */
function weightOf({ rawHeaders, url = '' }: IncomingMessage): number {
  let weight = EACH + url.length + (rawHeaders.length / 2) * EACH_FIELD;
  for (const text of rawHeaders) weight += text.length;
  return weight;
}

function hold(line: Line, turn: Turn, bytes: number): void {
  turn.held += bytes;
  line.held += bytes;
  heldByAll += bytes;
}

function begin(socket: Duplex, line: Line): void {
  const [turn] = line.queue;
  if (turn === undefined) return;
  hold(line, turn, -turn.held);
  if (turn.res === null) line.queue.shift();
  turn.res?.on('close', () => {
    line.queue.shift();
    if (!socket.destroyed && !socket.writableEnded) begin(socket, line);
    // Nobody would read the responses of a closed connection, so its waiting requests are dropped.
    else for (const left of line.queue.splice(0)) hold(line, left, -left.held);
  });
  turn.start();
}

/** Whether one more request would exceed what the connection may hold. */
function isTooMuch(line: Line, weight: number): boolean {
  return line.held + weight > (heldByAll < MOST_HELD_BY_ALL ? MOST_HELD : SHARE);
}

/** Starts a request once all earlier responses are sent. Resets a connection that holds too much. */
export function enterLine(socket: Duplex & Lined, res: ServerResponse, start: () => void): void {
  // The parser continues to the end of its input even after the connection is destroyed.
  if (socket.destroyed) return;
  let line = socket[LINE];
  if (line === undefined) socket[LINE] = line = { queue: [], held: 0 };
  const turn = { res, start, held: 0 };
  const before = line.queue.at(-1);
  line.queue.push(turn);
  if (before === undefined) {
    begin(socket, line);
    return;
  }
  // Its body has been received, and is held until it is read.
  if (line.queue.length > 2) hold(line, before, before.res?.req.readableLength ?? 0);
  const weight = weightOf(res.req);
  if (isTooMuch(line, weight)) reset(socket);
  else hold(line, turn, weight);
}

/**
 * Makes a CONNECT or an upgrade wait until all earlier responses are sent. Node.js has released the connection by then,
 * so what it would do for those responses is done here, and a client that leaves is noticed.
 *
 * @param early the bytes that came after the head.
 * @param start gets all bytes that came meanwhile; nobody is reading the socket then.
 */
export function enterLast(
  socket: Duplex & Lined,
  req: IncomingMessage,
  early: Buffer,
  start: (early: Buffer) => void,
): void {
  const line = socket[LINE];
  if (line === undefined || line.queue.length === 0) {
    start(early);
    return;
  }
  if (socket.destroyed) return;
  // A copy, as it is a subarray of everything that was read with it.
  const pieces: Uint8Array[] = [Buffer.from(early)];
  let left = MOST_EARLY - early.length;
  const leave = (): void => reset(socket);
  const onDrain = (): void => void line.queue[0]?.res?.emit('drain');
  const turn: Turn = {
    res: null,
    held: 0,
    start() {
      stopReading(socket);
      socket.off('drain', onDrain).off('timeout', leave);
      start(Buffer.concat(pieces));
    },
  };
  const weight = weightOf(req) + Math.max(early.length, MOST_EARLY);
  line.queue.push(turn);
  if (isTooMuch(line, weight)) {
    reset(socket);
    return;
  }
  hold(line, turn, weight);
  socket.on('drain', onDrain).on('timeout', leave);
  const take = (bytes: Buffer): boolean => {
    pieces.push(bytes);
    left -= bytes.length;
    return left > 0;
  };
  startReading(socket, take, leave);
}

/** Whether the connection owes a response of that kind: anything written now would precede or corrupt it. */
export function owes(socket: Duplex & Lined, which: (res: ServerResponse) => boolean): boolean {
  return socket[LINE]?.queue.some(({ res }) => res !== null && which(res)) ?? false;
}
