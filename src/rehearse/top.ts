/** Counting what may come in any number of kinds, in memory with a bound. */

export interface Top<T> {
  /** The value of a key, made by `create` where there is none. */
  readonly at: (key: string) => T;
  /** The highest first, at most `most` of them. */
  readonly list: (most: number) => readonly (readonly [key: string, value: T])[];
  /** Kept now. */
  readonly size: () => number;
  /** The count of the greatest one that had to be let go; 0 where all are kept, and every count is exact. */
  readonly lost: () => number;
}

export interface TopOptions<T> {
  readonly limit: number;
  readonly create: () => T;
  readonly count: (value: T) => number;
}

/** A copy that does not keep alive the text that it was cut out of. */
export function owned(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/** Where the limit is reached, the lesser half is let go. What is heavy stays; a count can then be too low by `lost`. */
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
      values.set(owned(key), made);
      return made;
    },
    list: (most) => sorted().slice(0, most),
    size: () => values.size,
    lost: () => lost,
  };
}
