/**
 * Names asked at DNS servers, for what `getaddrinfo` does not tell: how long an answer holds. Both families are asked at
 * once, and the faster one does not wait long for the other (RFC 8305, section 3).
 */
import { CANCELLED, Resolver, TIMEOUT, type RecordWithTtl } from 'node:dns';

/** Addresses, the first to be tried first, and the seconds that they hold. No addresses: there is no such name. */
export interface DnsAnswer {
  readonly addresses: readonly string[];
  readonly ttl: number;
  /** How many the servers recordCount, of which only the first are among the addresses. */
  readonly records: number;
}

export interface DnsClient {
  /**
   * What the servers know of a name. `both` is the answer with the slower family, where the first did not wait for it.
   *
   * @throws {Error} with the `code` of `node:dns`, where no server had an answer, not even that there is none.
   */
  readonly ask: (name: string) => Promise<{ readonly first: DnsAnswer; readonly both: Promise<DnsAnswer> }>;
}

/**
 * Addresses of one name. An answer has room for thousands, each of which would be judged and kept; nobody comes to the end of
 * so many within the time for a connection.
 */
export const MOST_ADDRESSES = 32;

/** Milliseconds that the addresses of one family wait for those of the other. */
const DELAY = 50;

/** There is no such name, or it has no address of this family. */
const absent: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA']);

type Type = 'resolve4' | 'resolve6';

interface Family {
  readonly records: readonly RecordWithTtl[];
  readonly recordCount: number;
  readonly error: NodeJS.ErrnoException | null;
}

const none: Family = { records: [], recordCount: 0, error: null };

/** The families by turns (RFC 8305, section 4). */
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
 * @param servers addresses, with a port where it is not 53; none: those of the system.
 * @param timeout milliseconds that all tries together may take.
 * @param ipv6First whether this machine reaches IPv6.
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
   * Asks for one name, and asks once more, for the rest of the time, if the servers did not answer. `timeout` is only what
   * c-ares starts with: once a server has given three answers, a try waits for five times their average, but for 250 ms at
   * least and 5 s at most (c-ares 1.34, `src/lib/ares_metrics.c`). After 30 quick answers, both tries were over after 2 s, and
   * no answer that took more than 1 s arrived in time (measured with Node.js 20 and 24). Such short tries are good against
   * lost packets, but a name that the server has to ask others for takes longer. A new resolver has no averages: its first
   * try waits for up to 5 s.
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
        // Its second try would otherwise go on after the time is over, and keep the socket open.
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
