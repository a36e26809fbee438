/** Token buckets: a burst, then a rate per second. The least recently used keys are forgotten. */
import { LRUCache } from 'lru-cache';

export interface Rate {
  /** False if no token is left. */
  readonly take: (key: string) => boolean;
  /** Whether one could be taken. Adds no key. */
  readonly left: (key: string) => boolean;
  readonly giveBack: (key: string) => void;
}

export interface RateOptions {
  readonly burst: () => number;
  readonly perSecond: () => number;
  /** Monotonic clock, milliseconds. */
  readonly now: () => number;
}

/** Number of keys that are kept; a forgotten key starts with a full bucket. */
const REMEMBERED = 20_000;

interface Bucket {
  tokens: number;
  at: number;
}

export function createRate({ burst, perSecond, now }: RateOptions): Rate {
  const buckets = new LRUCache<string, Bucket>({ max: REMEMBERED });
  const refill = (bucket: Bucket, at: number): void => {
    bucket.tokens = Math.min(burst(), bucket.tokens + ((at - bucket.at) * perSecond()) / 1000);
    bucket.at = at;
  };
  return {
    take(key) {
      const at = now();
      let bucket = buckets.get(key);
      if (bucket === undefined) buckets.set(key, (bucket = { tokens: burst(), at }));
      refill(bucket, at);
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    },
    left(key) {
      const bucket = buckets.get(key);
      if (bucket === undefined) return true;
      refill(bucket, now());
      return bucket.tokens >= 1;
    },
    giveBack(key) {
      const bucket = buckets.get(key);
      if (bucket !== undefined) bucket.tokens += 1;
    },
  };
}
