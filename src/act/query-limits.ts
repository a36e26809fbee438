/**
 * Limits concurrent DNS queries per domain. Node.js parses a DNS response in time quadratic in its number of addresses
 * (20 ms for 4,000 of them), and parses queued responses without yielding: the owner of a domain could have clients
 * look up so many of its names at once that the proxy serves nobody for minutes.
 */
import { LRUCache } from 'lru-cache';

export interface QueryLimits {
  /**
   * Resolves when the name may be queried, with a function to call with the number of records when the query is done;
   * with null if it must not be queried: responses for its domain were too large, or it waited too long.
   */
  readonly acquire: (name: string) => Promise<((records: number) => void) | null>;
}

/** Concurrent queries per domain. */
const MAX_CONCURRENT = 32;
/** Addresses in a response; more than any real service has under one name. */
const MAX_RECORDS = 512;
/** Milliseconds for which a domain with such a response is not queried, and the number of such domains remembered. */
const REFUSED_FOR = 60_000;
const REMEMBERED = 10_000;

interface Share {
  running: number;
  readonly waiting: { readonly until: number; readonly go: (may: boolean) => void }[];
}

/**
 * @param domainOf the registrable domain of a name, such as `example.com` for `a.b.example.com`.
 * @param timeout milliseconds that a query may wait for its turn.
 */
export function createQueryLimits(domainOf: (name: string) => string, timeout: number): QueryLimits {
  const shares = new Map<string, Share>();
  const refused = new LRUCache<string, true>({ max: REMEMBERED, ttl: REFUSED_FOR });

  const leave = (domain: string, share: Share): void => {
    share.running -= 1;
    const now = performance.now();
    const may = refused.get(domain) !== true;
    while (share.waiting.length > 0 && (!may || share.running < MAX_CONCURRENT)) {
      const next = share.waiting.shift();
      const inTime = next !== undefined && next.until > now && may;
      if (inTime) share.running += 1;
      next?.go(inTime);
    }
    if (share.running === 0) shares.delete(domain);
  };

  return {
    async acquire(name) {
      const domain = domainOf(name);
      if (refused.get(domain) === true) return null;
      const share = shares.get(domain) ?? { running: 0, waiting: [] };
      shares.set(domain, share);
      if (share.running < MAX_CONCURRENT) share.running += 1;
      else if (!(await new Promise((go) => share.waiting.push({ until: performance.now() + timeout, go }))))
        return null;
      return (records) => {
        if (records > MAX_RECORDS) refused.set(domain, true);
        leave(domain, share);
      };
    },
  };
}
