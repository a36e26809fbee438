/**
 * Dials whose requests were cancelled before the connection was made. The next request to the same origin takes one
 * over: otherwise a client that sends and cancels a thousand requests a second (rapid reset, CVE-2023-44487) would
 * cause as many connections to the origin.
 */
import type { Socket } from 'node:net';

export interface SpareDial {
  readonly socket: Promise<Socket>;
  /** Ends it if it is in progress. */
  readonly abort: () => void;
}

/**
 * Spare connections, and spare dials in progress, of all origins together; further ones are closed. A client that
 * leaves names that never answer would otherwise take a descriptor for each, beyond all limits on clients.
 */
const MOST = 64;

export interface SpareDials {
  /** Keeps a dial that is no longer needed, or ends it if there are many. */
  readonly keep: (key: string, dial: SpareDial) => void;
  /** Returns a kept dial, which may still be in progress and may fail. */
  readonly take: (key: string) => SpareDial | undefined;
  /** Closes them all. */
  readonly close: () => void;
}

interface Kept {
  readonly dial: SpareDial;
  /** Uncounts it and, once the connection is made, removes its timer and listener. */
  leave: () => void;
}

/** @param keptFor milliseconds that a connection is kept once it is made. */
export function createSpareDials(keptFor: number): SpareDials {
  const spares = new Map<string, Set<Kept>>();
  let idle = 0;
  let dialling = 0;
  let closed = false;

  const remove = (key: string, spare: Kept): void => {
    const some = spares.get(key);
    if (some?.delete(spare) !== true) return;
    if (some.size === 0) spares.delete(key);
    spare.leave();
  };

  return {
    keep(key, dial) {
      if (dialling === MOST) {
        dial.abort();
        // It may have connected just now.
        dial.socket.then(
          (socket) => socket.destroy(),
          () => undefined,
        );
        return;
      }
      dialling += 1;
      let isDialling = true;
      const settled = (): void => {
        if (isDialling) dialling -= 1;
        isDialling = false;
      };
      const spare: Kept = { dial, leave: settled };
      const some = spares.get(key) ?? new Set();
      spares.set(key, some.add(spare));
      dial.socket.then(
        (socket) => {
          if (!some.has(spare)) return;
          settled();
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
          dial.socket.then(
            (socket) => socket.destroy(),
            () => undefined,
          );
    },
  };
}
