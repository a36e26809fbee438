/**
 * Dials whose requests were given up before they had their connection. The next request to the same place takes one
 * over: a client that asks and takes it back a thousand times a second (rapid reset, CVE-2023-44487) would otherwise
 * have as many connections made to the origin.
 */
import type { Socket } from 'node:net';

type Dial = Promise<Socket>;

/** Connections that nobody waits for, of all origins; more are closed. */
const MOST = 64;

export interface SpareDials {
  /** Takes what nobody waits for any more. */
  readonly keep: (key: string, dial: Dial) => void;
  /** Gives one of what was kept; it may still be under way, and fail. */
  readonly take: (key: string) => Dial | undefined;
  /** Closes them all. */
  readonly close: () => void;
}

interface Kept {
  readonly dial: Dial;
  /** Set once the connection is made: it is not among the idle ones any more. */
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
      // Those that are under way are closed when they are made.
      for (const some of spares.values())
        for (const { dial } of some)
          dial.then(
            (socket) => socket.destroy(),
            () => undefined,
          );
    },
  };
}
