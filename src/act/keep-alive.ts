/**
 * Enables TCP keep-alive, which detects peers that vanished without closing, on connections older than {@link PERIOD}.
 * Enabling it takes four system calls, a twentieth of the cost of a short tunnel, so short-lived ones go without.
 */
import { Socket } from 'node:net';
import { createIndexedSet, type Indexed } from '../indexed-set.ts';

/** Milliseconds between two sweeps: a connection gets its keep-alive after one to two of them. */
const PERIOD = 30_000;
/** Milliseconds without a byte before the peer is probed. */
const PROBE_AFTER = 60_000;

interface Tracked extends Indexed {
  readonly socket: object;
  /** Number of sweeps since it was added. */
  age: number;
}

const present = createIndexedSet<Tracked>();
let timer: NodeJS.Timeout | null = null;

function sweep(): void {
  for (const lasting of present.all()) {
    lasting.age += 1;
    if (lasting.age === 2 && lasting.socket instanceof Socket) lasting.socket.setKeepAlive(true, PROBE_AFTER);
  }
}

/** Call this for each connection that may live long, and {@link cancelKeepAlive} with the result when it closes. */
export function keepAliveLater(socket: object): Tracked {
  timer ??= setInterval(sweep, PERIOD).unref();
  const lasting: Tracked = { socket, age: 0, place: -1 };
  present.add(lasting);
  return lasting;
}

export function cancelKeepAlive(lasting: Tracked): void {
  present.delete(lasting);
}
