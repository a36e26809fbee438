/**
 * Requests that a client sends before it has the answers to those before (RFC 9112, section 9.3.2): one is under way
 * for each connection, and the others wait. All at once they would be a way for one connection to open thousands to
 * origins; and of a client that leaves, Node.js tells only the answer that is next.
 */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { reset } from '../reset.ts';

/** Requests of one connection without an answer. The parser hands over all of one read before any can be held back. */
const MOST_OWED = 1_000;
/** The same of all connections: some 3 KiB each. Once there are as many, one connection has its share and no more. */
const MOST_OWED_TO_ALL = 50_000;
const SHARE = 100;

interface Turn {
  readonly res: ServerResponse;
  readonly start: () => void;
}

/**
 * Where a connection keeps the answers that it owes, in their order; the first one is under way. Not in a map: an entry
 * that comes and goes with each connection costs more than all else here, and once more when garbage is collected.
 */
const LINE = Symbol('line');

interface Lined {
  [LINE]?: Turn[];
}

let owedToAll = 0;

function begin(socket: Duplex, line: Turn[]): void {
  const [turn] = line;
  if (turn === undefined) return;
  turn.res.on('close', () => {
    line.shift();
    owedToAll -= 1;
    // On a connection that is over nobody would read the answers, so the requests that wait are not carried out either.
    if (socket.destroyed || socket.writableEnded) owedToAll -= line.splice(0).length;
    else begin(socket, line);
  });
  turn.start();
}

/** Starts a request once all answers before its own are out. A connection that owes too many is reset. */
export function enterLine(socket: Duplex & Lined, res: ServerResponse, start: () => void): void {
  // The parser goes on to the end of what it was given, whatever became of the connection.
  if (socket.destroyed) return;
  let line = socket[LINE];
  if (line === undefined) socket[LINE] = line = [];
  if (line.length === MOST_OWED || (owedToAll >= MOST_OWED_TO_ALL && line.length >= SHARE)) {
    reset(socket);
    return;
  }
  line.push({ res, start });
  owedToAll += 1;
  if (line.length === 1) begin(socket, line);
}

/** Whatever is written to a connection now would come before, or into, an answer to an earlier request. */
export function owes(socket: Duplex & Lined, which: (res: ServerResponse) => boolean = () => true): boolean {
  return socket[LINE]?.some(({ res }) => which(res)) ?? false;
}
