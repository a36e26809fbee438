/**
 * Names asked at DNS servers, for what `getaddrinfo` does not tell: how long an answer holds. Both families are asked at
 * once, and the faster one does not wait long for the other (RFC 8305, section 3).
 */
import { Resolver, type RecordWithTtl } from 'node:dns';

/** Addresses, the first to be tried first, and the seconds that they hold. No addresses: there is no such name. */
export interface DnsAnswer {
  readonly addresses: readonly string[];
  readonly ttl: number;
  /** How many the servers told, of which only the first are among the addresses. */
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

interface Family {
  readonly records: readonly RecordWithTtl[];
  readonly told: number;
  readonly error: Error | null;
}

const none: Family = { records: [], told: 0, error: null };

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
  const told = ipv4.told + ipv6.told;
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
  // The second try waits twice as long as the first.
  const resolver = new Resolver({ timeout: Math.ceil(options.timeout / 3), tries: 2 });
  if (options.servers.length > 0) resolver.setServers(options.servers);

  const query = (name: string, type: 'resolve4' | 'resolve6'): Promise<Family> =>
    new Promise((resolve) => {
      resolver[type](name, { ttl: true }, (error, records) => {
        if (error === null) resolve({ records: records.slice(0, MOST_ADDRESSES), told: records.length, error: null });
        else resolve({ ...none, error: absent.has(error.code) ? null : error });
      });
    });

  return {
    async ask(name) {
      const ipv4 = query(name, 'resolve4');
      const ipv6 = query(name, 'resolve6');
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
