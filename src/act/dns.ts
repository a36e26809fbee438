/**
 * A DNS client, used because `getaddrinfo` does not report TTLs. It queries both address families at once, and the
 * faster one waits only briefly for the other (RFC 8305, section 3).
 */
import { CANCELLED, Resolver, TIMEOUT, type RecordWithTtl } from 'node:dns';

/** Addresses in the order to try them, and their TTL in seconds. No addresses: the name does not exist. */
export interface DnsAnswer {
  readonly addresses: readonly string[];
  readonly ttl: number;
  /** Number of records received; `addresses` has only the first {@link MOST_ADDRESSES}. */
  readonly records: number;
}

export interface DnsClient {
  /**
   * Looks up a name. `first` may lack the slower address family; `both` has it.
   *
   * @throws {Error} with the `code` of `node:dns`, if no server gave an answer, not even a negative one.
   */
  readonly ask: (name: string) => Promise<{ readonly first: DnsAnswer; readonly both: Promise<DnsAnswer> }>;
}

/**
 * Addresses kept per name. A response can hold thousands, and each would have to be checked and cached; a connection
 * attempt times out long before it has tried that many.
 */
export const MOST_ADDRESSES = 32;

/** Milliseconds that one address family waits for the other. */
const DELAY = 50;

/** The name does not exist, or has no address of this family. */
const absent: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA']);

type Type = 'resolve4' | 'resolve6';

interface Family {
  readonly records: readonly RecordWithTtl[];
  readonly recordCount: number;
  readonly error: NodeJS.ErrnoException | null;
}

const none: Family = { records: [], recordCount: 0, error: null };

/** Alternates the two address families (RFC 8305, section 4). */
export function interleave(first: readonly string[], second: readonly string[]): string[] {
  const most = Math.max(first.length, second.length);
  return Array.from({ length: most }, (_, i) => [first[i], second[i]])
    .flat()
    .filter((address) => address !== undefined);
}

function merge(ipv4: Family, ipv6: Family, ipv6First: boolean): DnsAnswer {
  const records = [...ipv4.records, ...ipv6.records];
  const error = ipv4.error ?? ipv6.error;
  if (records.length === 0 && error !== null) throw error;
  const four = ipv4.records.map(({ address }) => address);
  const six = ipv6.records.map(({ address }) => address);
  const addresses = ipv6First ? interleave(six, four) : interleave(four, six);
  const told = ipv4.recordCount + ipv6.recordCount;
  return {
    addresses: addresses.slice(0, MOST_ADDRESSES),
    records: told,
    ttl: records.length === 0 ? 0 : Math.min(...records.map(({ ttl }) => ttl)),
  };
}

/**
 * @param servers addresses, with a port if it is not 53; if empty, those of the system.
 * @param timeout milliseconds for all tries together.
 * @param ipv6First whether this machine has IPv6 connectivity.
 */
export function createDnsClient(options: {
  readonly servers: readonly string[];
  readonly timeout: number;
  readonly ipv6First: () => boolean;
}): DnsClient {
  const create = (timeout: number): Resolver => {
    const resolver = new Resolver({ timeout: Math.ceil(timeout), tries: 2 });
    if (options.servers.length > 0) resolver.setServers(options.servers);
    return resolver;
  };
  const quick = create(options.timeout / 3);

  const query = (resolver: Resolver, name: string, type: Type): Promise<Family> =>
    new Promise((resolve) => {
      resolver[type](name, { ttl: true }, (error, records) => {
        if (error === null)
          resolve({ records: records.slice(0, MOST_ADDRESSES), recordCount: records.length, error: null });
        else resolve({ ...none, error: absent.has(error.code) ? null : error });
      });
    });

  /**
   * Queries a name, and if that times out queries once more with a new resolver for the remaining time. `timeout` is
   * only the initial value of c-ares: after three answers from a server, it waits five times their average per try, but
   * at least 250 ms and at most 5 s (c-ares 1.34, `src/lib/ares_metrics.c`). After 30 quick answers, both tries ended
   * within 2 s, and no answer that took more than 1 s arrived in time (measured with Node.js 20 and 24). Short tries
   * help against lost packets, but recursive lookups take longer. A new resolver has no average yet: its first try
   * waits up to 5 s.
   */
  const createQuery = (name: string): ((type: Type) => Promise<Family>) => {
    const until = performance.now() + options.timeout;
    let patient: Resolver | null = null;
    return async (type) => {
      const soon = await query(quick, name, type);
      const rest = until - performance.now();
      if (soon.error?.code !== TIMEOUT || rest <= 0) return soon;
      if (patient === null) {
        const made = create(rest);
        // Otherwise its second try would outlast the timeout and keep the socket open.
        setTimeout(() => made.cancel(), rest).unref();
        patient = made;
      }
      const later = await query(patient, name, type);
      return later.error?.code === CANCELLED ? soon : later;
    };
  };

  return {
    async ask(name) {
      const queryFor = createQuery(name);
      const ipv4 = queryFor('resolve4');
      const ipv6 = queryFor('resolve6');
      const both = Promise.all([ipv4, ipv6]).then(([four, six]) => merge(four, six, options.ipv6First()));
      const alone = async (family: Promise<Family>, answer: (one: Family) => DnsAnswer): Promise<DnsAnswer> => {
        const one = await family;
        if (one.records.length === 0) return both;
        await new Promise((resolve) => setTimeout(resolve, DELAY).unref());
        return answer(one);
      };
      const first = await Promise.race([
        both,
        alone(ipv4, (one) => merge(one, none, false)),
        alone(ipv6, (one) => merge(none, one, true)),
      ]);
      return { first, both };
    },
  };
}
