/** Counts by any number of keys in bounded memory. */
import { inOnePiece } from '../in-one-piece.ts';

export interface Top<T> {
  /** The value of a key, created if the key is new. */
  readonly at: (key: string) => T;
  /** At most `most` entries, in descending order. */
  readonly list: (most: number) => readonly (readonly [key: string, value: T])[];
  /** Number of keys that are kept now. */
  readonly size: () => number;
  /** By how much counts can be too low; 0 if nothing was dropped and all are exact. */
  readonly lost: () => number;
}

export interface TopOptions<T> {
  readonly limit: number;
  readonly create: () => T;
  readonly count: (value: T) => number;
}

/** At `limit` keys, the lower half is dropped; the count of a dropped key that returns is then too low. */
export function createTop<T>({ limit, create, count }: TopOptions<T>): Top<T> {
  let values = new Map<string, T>();
  let lost = 0;
  const sorted = (): [string, T][] => [...values].toSorted(([, a], [, b]) => count(b) - count(a));

  const prune = (): void => {
    const all = sorted();
    const kept = all.slice(0, limit >> 1);
    const [, greatest] = all[kept.length] ?? [];
    if (greatest !== undefined) lost += count(greatest);
    values = new Map(kept);
  };

  return {
    at(key) {
      const known = values.get(key);
      if (known !== undefined) return known;
      if (values.size >= limit) prune();
      const made = create();
      values.set(inOnePiece(key), made);
      return made;
    },
    list: (most) => sorted().slice(0, most),
    size: () => values.size,
    lost: () => lost,
  };
}
