/** How many of something each client has at once, up to a limit. */

export interface Tally {
  /** Counts one more, or says that the client is at its limit. */
  readonly enter: (key: string) => boolean;
  readonly leave: (key: string) => void;
  /** What one client may have. */
  readonly most: () => number;
}

/** @param refused hears of each that found no room. */
export function createTally(most: () => number, refused: () => void): Tally {
  // Bounded by what is open: a client that has nothing is not in it.
  const counts = new Map<string, number>();
  return {
    enter(key) {
      const now = counts.get(key) ?? 0;
      if (now >= most()) {
        refused();
        return false;
      }
      counts.set(key, now + 1);
      return true;
    },
    leave(key) {
      const left = (counts.get(key) ?? 0) - 1;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
    },
    most,
  };
}
