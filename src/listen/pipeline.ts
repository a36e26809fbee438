/**
 * Requests that a client sends before it has the answers to those before (RFC 9112, section 9.3.2): one is under way
 * for each connection, and the others wait. All at once they would be a way for one connection to open thousands to
 * origins; and of a client that leaves, Node.js tells only the answer that is next.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { startReading, stopReading } from '../reading.ts';
import { reset } from '../reset.ts';

/** Bytes that the requests of one connection may hold while they wait. All of one read come before any can be held back. */
const MOST_HELD = 4 << 20;
/** The same of all connections. Once they hold as much, one connection has its share and no more: a dozen small ones. */
const MOST_HELD_BY_ALL = 128 << 20;
const SHARE = 48 << 10;
/** What a request holds besides its text: objects of Node.js, and for each field what it takes to keep it twice. */
const EACH = 3 << 10;
const EACH_FIELD = 100;

/** Bytes behind a request to switch protocols that are read before its turn; the others wait with the system. */
const MOST_EARLY = 32 << 10;

interface Turn {
  /** Null for a request to switch protocols, which has none, and is the last in its line. */
  readonly res: ServerResponse | null;
  readonly start: () => void;
  /** Bytes; 0 for one that never waited. */
  held: number;
}

/**
 * Where a connection keeps the answers that it owes, in their order; the first one is under way. Not in a map: an entry
 * that comes and goes with each connection costs more than all else here, and once more when garbage is collected.
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

/** About how much memory a request keeps, without its body. */
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

/** What one more request may not make a connection hold. */
function isTooMuch(line: Line, weight: number): boolean {
  return line.held + weight > (heldByAll < MOST_HELD_BY_ALL ? MOST_HELD : SHARE);
}

/** Starts a request once all answers before its own are out. A connection on which too much waits is reset. */
export function enterLine(socket: Duplex & Lined, res: ServerResponse, start: () => void): void {
  // The parser goes on to the end of what it was given, whatever became of the connection.
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
 * Has a CONNECT, or another wish to switch protocols, wait until all answers before it are out. Node.js has let go of the
 * connection by then: what it did there for those answers is done here, and a client that leaves is noticed.
 *
 * @param early what came behind the head.
 * @param start is given all that has come behind it until then, of a socket that nobody hears.
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
  // A copy: it is a part of all that was read with it.
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

/** Whatever is written to a connection now would come before, or into, an answer to an earlier request. */
export function owes(socket: Duplex & Lined, which: (res: ServerResponse) => boolean): boolean {
  return socket[LINE]?.queue.some(({ res }) => res !== null && which(res)) ?? false;
}
