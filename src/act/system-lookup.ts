/**
 * The system's own resolver (`getaddrinfo`), asked for one name at a time. A lookup cannot be cancelled, and occupies a
 * thread for 10 seconds or more if a DNS server does not answer. By default, libuv uses two threads for lookups, and
 * everything in this process that connects to a host by name needs them, such as LDAP.
 */
import { lookup } from 'node:dns';
import { SallyportError } from '../errors.ts';
import { MOST_ADDRESSES } from './dns.ts';

/** At least one address. Rejects with `dns_error`. */
export type SystemLookup = (name: string) => Promise<readonly string[]>;

/** Names that may wait: of all domains together, and of one domain. */
const WAITING = 1_000;
const WAITING_OF_DOMAIN = 32;

function ask(name: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    lookup(name, { all: true, verbatim: true }, (error, addresses) => {
      if (error === null && addresses.length > 0)
        resolve(addresses.slice(0, MOST_ADDRESSES).map(({ address }) => address));
      else reject(new SallyportError('dns_error', error?.code ?? 'no address'));
    });
  });
}

interface Waiting {
  /** Monotonic milliseconds. */
  readonly until: number;
  readonly go: (may: boolean) => void;
}

/** Admits one name at a time. Domains take turns, so that one with hundreds of names does not hold up another. */
function createLane(timeout: number): { enter: (domain: string) => Promise<boolean>; leave: () => void } {
  const waiting = new Map<string, Waiting[]>();
  let count = 0;
  let busy = false;
  return {
    enter(domain) {
      if (!busy) {
        busy = true;
        return Promise.resolve(true);
      }
      const queue = waiting.get(domain) ?? [];
      if (count >= WAITING || queue.length >= WAITING_OF_DOMAIN) return Promise.resolve(false);
      count += 1;
      waiting.set(domain, queue);
      return new Promise((go) => queue.push({ until: performance.now() + timeout, go }));
    },
    leave() {
      const now = performance.now();
      // A domain that is moved to the end is visited again by this loop.
      for (const [domain, queue] of waiting) {
        const next = queue.shift();
        waiting.delete(domain);
        if (queue.length > 0) waiting.set(domain, queue);
        count -= 1;
        const inTime = next !== undefined && next.until > now;
        next?.go(inTime);
        if (inTime) return;
      }
      busy = false;
    },
  };
}

/**
 * @param domainOf the part of a name that has one owner, such as `example.com` for `a.b.example.com`.
 * @param timeout milliseconds that a name may wait for its turn.
 */
export function createSystemLookup(domainOf: (name: string) => string, timeout: number): SystemLookup {
  const lane = createLane(timeout);
  // Single-label names are answered by the local network, so no stranger's DNS server can make them slow.
  const own = createLane(timeout);
  return async (name) => {
    const dotted = name.includes('.');
    const { enter, leave } = dotted ? lane : own;
    if (!(await enter(dotted ? domainOf(name) : name)))
      throw new SallyportError('dns_error', 'too many names are waiting for the system resolver');
    try {
      return await ask(name);
    } finally {
      leave();
    }
  };
}
