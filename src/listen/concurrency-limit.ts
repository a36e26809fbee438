/** Limits how many of something each client has at once. */

export interface ConcurrencyLimit {
  /** Counts one more; false if the client is at its limit. */
  readonly acquire: (key: string) => boolean;
  readonly release: (key: string) => void;
  /** The limit per client. */
  readonly most: () => number;
}

/** @param refused called each time a client is at its limit. */
export function createConcurrencyLimit(most: () => number, refused: () => void): ConcurrencyLimit {
  // Clients without any are not in the map, so its size is bounded.
  const counts = new Map<string, number>();
  return {
    acquire(key) {
      const now = counts.get(key) ?? 0;
      if (now >= most()) {
        refused();
        return false;
      }
      counts.set(key, now + 1);
      return true;
    },
    release(key) {
      const left = (counts.get(key) ?? 0) - 1;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
    },
    most,
  };
}
