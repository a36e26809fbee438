/** So many at once, and a queue before them that cannot grow without end. */

export interface Turns {
  /** Resolves to what ends the turn, or to null where too many are waiting. */
  readonly take: () => Promise<(() => void) | null>;
}

export function createTurns(atOnce: number, queue: number): Turns {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  const done = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    take() {
      if (free > 0) {
        free -= 1;
        return Promise.resolve(done);
      }
      if (waiting.length >= queue) return Promise.resolve(null);
      return new Promise((resolve) => void waiting.push(() => resolve(done)));
    },
  };
}
