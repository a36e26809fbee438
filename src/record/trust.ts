/**
 * Tracks which clients trust the company's CA, by how they react to our leaf certificates. Clients are told apart by
 * address, since nothing else is known at a CONNECT; several may share one, so one that accepts counts for all of them.
 */
import { isIPv6 } from 'node:net';
import type { TrustResult } from '../flow.ts';
import { ipv6Words } from '../ip.ts';

export interface TrustOptions {
  /** Consecutive refusals after which the CONNECT itself is answered; 0: never. */
  readonly refusals: number;
  /** Milliseconds within which they must occur. */
  readonly window: number;
  /** Milliseconds for which CONNECTs are then answered themselves, before a leaf is tried again. */
  readonly fallback: number;
}

/** One client's reaction to a leaf, as sent between processes. */
export interface TrustNote {
  readonly clientAddress: string;
  readonly result: TrustResult;
  /** Epoch milliseconds. */
  readonly at: number;
}

export type TrustCounts = Readonly<Record<TrustResult, number>>;

/** The reactions of the clients of one network. */
export interface TrustFacts {
  /** A CIDR block: /24 of IPv4, /64 of IPv6. */
  readonly network: string;
  readonly clients: number;
  /** Clients whose last reaction was not to accept the leaf, including those that never reacted. */
  readonly needCa: number;
  readonly results: TrustCounts;
  /** Epoch milliseconds. */
  readonly lastSeen: number;
  /** Until when its CONNECTs are answered themselves, in epoch milliseconds; null: they are intercepted. */
  readonly fallbackUntil: number | null;
}

export interface Trust {
  readonly note: (clientAddress: string, result: TrustResult, now: number) => void;
  /** Whether the client keeps refusing leaves, so its CONNECT should be answered itself. */
  readonly refuses: (clientAddress: string, now: number) => boolean;
  /** Whether the client's last reaction was to accept the leaf; null if it has not reacted. */
  readonly accepts: (clientAddress: string) => boolean | null;
  /** Of all clients, since the process started. */
  readonly counts: () => TrustCounts;
  /** By network, sorted by the number of clients that need the CA, then by the latest. */
  readonly networks: (now: number) => readonly TrustFacts[];
}

interface Seen {
  readonly results: Record<TrustResult, number>;
  last: TrustResult;
  lastSeen: number;
  acceptedAt: number;
  refusals: number;
  firstRefusal: number;
  fallbackUntil: number;
}

export const trustResults = ['accepted', 'unknown_ca', 'bad_certificate', 'reset', 'silent'] as const;

/** `silent` is not a refusal: browsers open connections in advance and may never use them. */
const refusing: ReadonlySet<TrustResult> = new Set(['unknown_ca', 'bad_certificate', 'reset']);

/**
 * Milliseconds for which an accepted leaf counts for its address. A browser trusts the system's CAs, Node.js on the
 * same machine may not: its retries must not deprive the browser of the block page.
 */
const ACCEPTED_FOR = 24 * 3_600_000;

const none = (): Record<TrustResult, number> => ({
  accepted: 0,
  unknown_ca: 0,
  bad_certificate: 0,
  reset: 0,
  silent: 0,
});

/** The CIDR block that usually corresponds to one office, home or pod network. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return `${address.split('.').slice(0, 3).join('.')}.0/24`;
  const groups = ipv6Words(address)
    .slice(0, 4)
    .map((word) => word.toString(16));
  return `${groups.join(':').replace(/(?:^|:)0(?::0)*$/, '')}::/64`;
}

/** Remembers the last `limit` addresses. */
export function createTrust({ refusals, window, fallback }: TrustOptions, limit = 5000): Trust {
  const clients = new Map<string, Seen>();
  const total = none();

  /** Gets or creates the client's entry and makes it the newest; evicts the oldest if there are too many. */
  const entry = (address: string, now: number): Seen => {
    const blank = { results: none(), last: 'silent' as const, lastSeen: now };
    const seen = clients.get(address) ?? {
      ...blank,
      acceptedAt: -Infinity,
      refusals: 0,
      firstRefusal: now,
      fallbackUntil: 0,
    };
    clients.delete(address);
    clients.set(address, seen);
    const oldest = clients.size > limit ? clients.keys().next() : null;
    if (oldest?.done === false) clients.delete(oldest.value);
    return seen;
  };

  const refused = (seen: Seen, now: number): void => {
    if (seen.refusals === 0 || now - seen.firstRefusal > window) {
      seen.refusals = 0;
      seen.firstRefusal = now;
    }
    seen.refusals += 1;
    if (refusals > 0 && seen.refusals >= refusals && now - seen.acceptedAt > ACCEPTED_FOR) {
      seen.fallbackUntil = now + fallback;
      seen.refusals = 0;
    }
  };

  return {
    note(clientAddress, result, now) {
      total[result] += 1;
      const seen = entry(clientAddress, now);
      seen.results[result] += 1;
      // Silence is no reaction: browsers open connections in advance and leave some unused.
      if (result !== 'silent') seen.last = result;
      seen.lastSeen = now;
      if (refusing.has(result)) refused(seen, now);
      if (result === 'accepted') {
        seen.acceptedAt = now;
        seen.refusals = 0;
        seen.fallbackUntil = 0;
      }
    },
    refuses: (clientAddress, now) => (clients.get(clientAddress)?.fallbackUntil ?? 0) > now,
    accepts(clientAddress) {
      const last = clients.get(clientAddress)?.last ?? 'silent';
      return last === 'silent' ? null : last === 'accepted';
    },
    counts: () => total,
    networks(now) {
      const found = new Map<string, TrustFacts>();
      for (const [address, seen] of clients) {
        const network = networkOf(address);
        const before = found.get(network);
        found.set(
          network,
          before === undefined ? factsOf(network, seen, now) : merge(before, factsOf(network, seen, now)),
        );
      }
      return [...found.values()].sort((a, b) => b.needCa - a.needCa || b.lastSeen - a.lastSeen);
    },
  };
}

function factsOf(network: string, seen: Seen, now: number): TrustFacts {
  return {
    network,
    clients: 1,
    needCa: seen.last === 'accepted' ? 0 : 1,
    results: seen.results,
    lastSeen: seen.lastSeen,
    fallbackUntil: seen.fallbackUntil > now ? seen.fallbackUntil : null,
  };
}

function merge(one: TrustFacts, other: TrustFacts): TrustFacts {
  const results = none();
  for (const result of trustResults) results[result] = one.results[result] + other.results[result];
  const untils = [one.fallbackUntil, other.fallbackUntil].filter((until) => until !== null);
  return {
    network: one.network,
    clients: one.clients + other.clients,
    needCa: one.needCa + other.needCa,
    results,
    lastSeen: Math.max(one.lastSeen, other.lastSeen),
    fallbackUntil: untils.length === 0 ? null : Math.max(...untils),
  };
}
