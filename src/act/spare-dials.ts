/**
 * Dials whose requests were cancelled before the connection was made. The next request to the same origin takes one
 * over: otherwise a client that sends and cancels a thousand requests a second (rapid reset, CVE-2023-44487) would
 * cause as many connections to the origin.
 */
import type { Socket } from 'node:net';

type Dial = Promise<Socket>;

/** Idle spare connections, of all origins together; further ones are closed. */
const MOST = 64;

export interface SpareDials {
  /** Keeps a dial that is no longer needed. */
  readonly keep: (key: string, dial: Dial) => void;
  /** Returns a kept dial, which may still be in progress and may fail. */
  readonly take: (key: string) => Dial | undefined;
  /** Closes them all. */
  readonly close: () => void;
}

interface Kept {
  readonly dial: Dial;
  /** Set once the connection is made: uncounts it and removes its timer and listener. */
  leave: () => void;
}

/** @param keptFor milliseconds that a connection is kept once it is made. */
export function createSpareDials(keptFor: number): SpareDials {
  const spares = new Map<string, Set<Kept>>();
  let idle = 0;
  let closed = false;

  const remove = (key: string, spare: Kept): void => {
    const some = spares.get(key);
    if (some?.delete(spare) !== true) return;
    if (some.size === 0) spares.delete(key);
    spare.leave();
  };

  return {
    keep(key, dial) {
      const spare: Kept = { dial, leave: () => undefined };
      const some = spares.get(key) ?? new Set();
      spares.set(key, some.add(spare));
      dial.then(
        (socket) => {
          if (!some.has(spare)) return;
          if (closed || idle === MOST) socket.destroy();
          if (socket.destroyed) {
            remove(key, spare);
            return;
          }
          idle += 1;
          const drop = (): void => {
            remove(key, spare);
            socket.destroy();
          };
          const timer = setTimeout(drop, keptFor).unref();
          socket.once('close', drop);
          spare.leave = () => {
            idle -= 1;
            clearTimeout(timer);
            socket.off('close', drop);
          };
        },
        () => remove(key, spare),
      );
    },
    take(key) {
      for (const spare of spares.get(key) ?? []) {
        remove(key, spare);
        return spare.dial;
      }
      return undefined;
    },
    close() {
      closed = true;
      // Dials in progress are closed once they connect.
      for (const some of spares.values())
        for (const { dial } of some)
          dial.then(
            (socket) => socket.destroy(),
            () => undefined,
          );
    },
  };
}
