/** A semaphore with a bounded queue. */

export interface Semaphore {
  /** Resolves to a function that releases it, or to null if the queue is full. */
  readonly acquire: () => Promise<(() => void) | null>;
}

export function createSemaphore(atOnce: number, queue: number): Semaphore {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  const done = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    acquire() {
      if (free > 0) {
        free -= 1;
        return Promise.resolve(done);
      }
      if (waiting.length >= queue) return Promise.resolve(null);
      return new Promise((resolve) => void waiting.push(() => resolve(done)));
    },
  };
}
