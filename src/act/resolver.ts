/**
 * Resolves names. Sources, in order: the configuration's fixed names, the hosts file, DNS, and for names unknown to DNS
 * the system's resolver, which may have more sources (search domains, mDNS, a directory). `localhost` is loopback.
 *
 * At most one lookup per name is in flight. DNS answers are cached for their TTL, others for a few seconds.
 */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { LRUCache } from 'lru-cache';
import { SallyportError } from '../errors.ts';
import type { Target } from '../flow.ts';
import { createQueryLimits } from './query-limits.ts';
import { createDnsClient, type DnsAnswer } from './dns.ts';
import { createHostsFile, hostsFilePath } from './hosts-file.ts';
import { createSystemLookup } from './system-lookup.ts';

export interface Resolver {
  /** At least one address, synchronously if cached. Throws or rejects: `dns_error`, `dns_timeout`, `invalid_target`. */
  readonly resolve: (target: Target) => readonly string[] | Promise<readonly string[]>;
}

export interface ResolverOptions {
  /** Fixed names; a key `*.example` matches all subdomains of `example`. */
  readonly hosts: Readonly<Record<string, string>>;
  /** DNS servers; empty or absent: those of the system, then the system's resolver. */
  readonly servers?: readonly string[];
  /** Milliseconds that one lookup may take. */
  readonly timeout: number;
  /** Absent: the system's. */
  readonly hostsFile?: string;
  /** The registrable domain of a name, such as `example.com` for `a.b.example.com`; absent: its last two labels. */
  readonly domainOf?: (name: string) => string;
}

const lastTwoLabels = (name: string): string => name.split('.').slice(-2).join('.');

/** Milliseconds. The hosts file and `getaddrinfo` have no TTL: cached for the length of a burst of connections. */
const DEFAULT_TTL = 5_000;
const NEGATIVE_TTL = 1_000;
/** Milliseconds; a longer TTL is cut to this. */
const MAX_TTL = 3_600_000;
/** Names cached; the least recently used is evicted first. */
const MAX_ENTRIES = 10_000;
/** Milliseconds for which the check for IPv6 is cached. */
const INTERFACES_TTL = 30_000;

interface Known {
  readonly answer: readonly string[] | SallyportError;
  /** Monotonic milliseconds. */
  readonly until: number;
}

function known(answer: Known['answer'], ttl: number): Known {
  return { answer, until: performance.now() + ttl };
}

function failed(error: unknown): SallyportError {
  return error instanceof SallyportError ? error : new SallyportError('dns_error', String(error));
}

function fromDns({ addresses, ttl }: DnsAnswer): Known {
  return known(addresses, Math.min(ttl * 1000, MAX_TTL));
}

/** Whether an external interface has an IPv6 address that is not link-local. */
function createIpv6First(): () => boolean {
  let until = 0;
  let has = false;
  return () => {
    if (performance.now() >= until) {
      has = Object.values(networkInterfaces()).some((list) =>
        list?.some(({ family, internal, address }) => family === 'IPv6' && !internal && !/^fe[89ab]/i.test(address)),
      );
      until = performance.now() + INTERFACES_TTL;
    }
    return has;
  };
}

const LOOPBACK = ['127.0.0.1', '::1'];

/** `localhost` names: they are always loopback, and must not be sent to a DNS server (RFC 6761, section 6.3). */
function loopbackOf(name: string): readonly string[] | null {
  return name === 'localhost' || name.endsWith('.localhost') ? LOOPBACK : null;
}

/** Looks names up in `outbound.hosts` of the configuration, and `localhost`; null: not found. */
export function createFixed(options: ResolverOptions['hosts']): (name: string) => readonly string[] | null {
  const hosts = new Map(Object.entries(options).map(([name, address]) => [name, [address]] as const));
  if (hosts.size === 0) return loopbackOf;
  const find = (name: string): readonly string[] | null => {
    const exact = hosts.get(name);
    if (exact !== undefined) return exact;
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const below = hosts.get(`*${name.slice(dot)}`);
      if (below !== undefined) return below;
    }
    return loopbackOf(name);
  };
  const found = new Map<string, readonly string[] | null>();
  return (name) => {
    const before = found.get(name);
    if (before !== undefined) return before;
    const address = find(name);
    if (found.size >= MAX_ENTRIES) found.clear();
    found.set(name, address);
    return address;
  };
}

export function createResolver(options: ResolverOptions): Resolver {
  const { servers = [], timeout } = options;
  const dns = createDnsClient({ servers, timeout, ipv6First: createIpv6First() });
  const hostsFile = createHostsFile(options.hostsFile ?? hostsFilePath());
  const fixed = createFixed(options.hosts);
  const { domainOf = lastTwoLabels } = options;
  const shares = createQueryLimits(domainOf, timeout);
  const lookUp = createSystemLookup(domainOf, timeout);
  const kept = new LRUCache<string, Known>({ max: MAX_ENTRIES });
  const inFlight = new Map<string, Promise<Known>>();

  const unwrap = ({ answer }: Known): readonly string[] => {
    if (answer instanceof SallyportError) throw answer;
    return answer;
  };

  const askSystem = (name: string): Promise<Known> =>
    lookUp(name).then(
      (addresses) => known(addresses, DEFAULT_TTL),
      (error: unknown) => known(failed(error), NEGATIVE_TTL),
    );

  /** Null: the name does not exist in DNS, or there is no DNS server. */
  const askDns = async (name: string): Promise<Known | null> => {
    const done = await shares.acquire(name);
    if (done === null)
      return known(new SallyportError('dns_error', 'answers of this domain are too large'), NEGATIVE_TTL);
    try {
      const { first, both } = await dns.ask(name);
      both.then(
        ({ records }) => done(records),
        () => done(0),
      );
      if (first.addresses.length === 0) return null;
      // Cache the slower family for the next connection.
      void both.then((answer) => kept.set(name, fromDns(answer))).catch(() => undefined);
      return fromDns(first);
    } catch (error) {
      done(0);
      const { code = 'no answer' } = error as NodeJS.ErrnoException;
      if (code === 'ECONNREFUSED') return null;
      return known(new SallyportError(code === 'ETIMEOUT' ? 'dns_timeout' : 'dns_error', code), NEGATIVE_TTL);
    }
  };

  const ask = async (name: string): Promise<Known> => {
    const listed = await hostsFile(name);
    if (listed !== null) return known(listed, DEFAULT_TTL);
    const own = servers.length > 0;
    // A single-label name belongs to a search domain, which only the system knows.
    if (!own && !name.includes('.')) return askSystem(name);
    const answer = await askDns(name);
    if (answer !== null) return answer;
    return own ? known(new SallyportError('dns_error', 'ENOTFOUND'), NEGATIVE_TTL) : askSystem(name);
  };

  const askInTime = (name: string): Promise<Known> =>
    new Promise((resolve) => {
      const late = (): void =>
        resolve(known(new SallyportError('dns_timeout', `no answer in ${timeout} ms`), NEGATIVE_TTL));
      const timer = setTimeout(late, timeout);
      void ask(name)
        // An unexpected error must end this lookup only, not the process.
        .catch((error: unknown) => known(failed(error), NEGATIVE_TTL))
        .then((answer) => {
          clearTimeout(timer);
          resolve(answer);
        });
    });

  const query = async (name: string): Promise<readonly string[]> => {
    let asked = inFlight.get(name);
    if (asked === undefined) {
      asked = askInTime(name);
      inFlight.set(name, asked);
      void asked.then((answer) => {
        inFlight.delete(name);
        kept.set(name, answer);
      });
    }
    return unwrap(await asked);
  };

  return {
    resolve({ host, kind }) {
      if (kind !== 'name') return [host];
      const address = fixed(host);
      if (address !== null) return address;
      const before = kept.get(host);
      if (before !== undefined && before.until > performance.now()) return unwrap(before);
      // An attacker could hide a second name behind a NUL, where the system's resolver stops reading.
      if (host.includes('\0') || isIP(host) !== 0) throw new SallyportError('invalid_target');
      return query(host);
    },
  };
}

/** Like {@link Resolver.resolve}, but returns an empty list on errors: the dial then reports the reason. */
export function createAddresses({ resolve }: Resolver): Resolver['resolve'] {
  const none = (): readonly string[] => [];
  return (target) => {
    try {
      const found = resolve(target);
      return 'then' in found ? found.catch(none) : found;
    } catch {
      return none();
    }
  };
}
