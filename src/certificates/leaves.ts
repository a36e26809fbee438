/**
 * TLS contexts for intercepted tunnels. Each leaf is for exactly one host, never a wildcard, so that a client cannot
 * reuse a connection for another host (HTTP/2 coalescing, RFC 9113, section 9.1.1).
 */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { SallyportError } from '../errors.ts';
import type { Target } from '../flow.ts';
import type { Authority } from './authority.ts';
import { createChangingContext, type ShowLeaf } from './changing-context.ts';
import { offered, withoutTickets } from './offered.ts';
import { backdated, createMint, type KeyType } from './x509.ts';

export interface LeavesOptions {
  /** The key of all leaves. Processes that resume each other's sessions must share it. */
  readonly key: KeyObject;
  /** 30 to 90. */
  readonly leafDays: number;
  /** Maximum number of cached leaves; the least recently used is evicted first. */
  readonly cacheSize: number;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  /** 48 random bytes. Processes that resume each other's sessions must share them. */
  readonly ticketKeys: Buffer;
}

export interface Leaves {
  /**
   * A context with a leaf for `target`, cached or new. Use it only for connections that begin before the next call:
   * rarely requested hosts share a context, which has the leaf of one of them at a time.
   *
   * @param resumable whether to offer session resumption; true by default.
   * @throws {SallyportError} `internal_error` once the CA has expired.
   */
  readonly contextFor: (target: Target, resumable?: boolean) => SecureContext;
  /** Whether a valid leaf is cached. */
  readonly isCached: (target: Target) => boolean;
  /** Leaves minted, and found in the cache, since the process started. `size`: leaves in the cache now. */
  readonly stats: () => { readonly minted: number; readonly cached: number; readonly size: number };
}

interface Entry extends Pick<Validity, 'from' | 'renewal'> {
  /** PEM, without the chain. */
  readonly leaf: string;
  /** Separates the sessions of different hosts. */
  readonly sessionIdContext: string;
  /** How often it was requested. */
  asked: number;
  /** Its own contexts, with session tickets and without, once it is requested often. */
  resuming: SecureContext | null;
  once: SecureContext | null;
}

interface Way {
  readonly name: 'resuming' | 'once';
  readonly options: SecureContextOptions;
  /** Created with the first leaf; undefined until then. Null: not available. */
  showLeaf: ShowLeaf | null | undefined;
}

/** Up to this many requests, replacing the leaf is cheaper than a separate context, on Node.js 20 and 24. */
const RARE = 4;

/**
 * Generates a key for leaves, which is never written to disk. Synchronous, since it runs once, before the first
 * connection: 0.2 ms for P-256, about 100 ms for RSA.
 */
export function makeLeafKey(keyType: KeyType): KeyObject {
  return keyType === 'rsa-2048'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

export interface Validity {
  /** Epoch milliseconds, like the others. */
  readonly from: number;
  readonly until: number;
  /** When to mint the next leaf: after half of the lifetime, so that none expires while a connection is open. */
  readonly renewal: number;
}

/** The validity of a leaf that is minted now. @throws {SallyportError} `internal_error` once the CA has expired. */
export function validityOf(authority: Authority, leafDays: number, now: number): Validity {
  const until = Math.min(now + leafDays * 86_400_000, authority.notAfter);
  if (until <= now) throw new SallyportError('internal_error', `the CA in ${authority.certFile} has expired`);
  return { from: Math.max(now - backdated, authority.notBefore), until, renewal: now + (until - now) / 2 };
}

/** Whether to mint another leaf: this one is due for renewal, or not yet valid because the clock was set back. */
export function isDue({ from, renewal }: Pick<Validity, 'from' | 'renewal'>, now: number): boolean {
  return now < from || now >= renewal;
}

export function createLeaves(authority: Authority, options: LeavesOptions): Leaves {
  const { key } = options;
  const mint = createMint(authority, key);
  const shared: SecureContextOptions = {
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    ...offered(key.asymmetricKeyType === 'rsa' ? 'RSA' : 'ECDSA'),
    ticketKeys: options.ticketKeys,
    // Clients are not asked for certificates, and an empty list avoids loading the public roots.
    ca: [],
  };
  const entries = new LRUCache<string, Entry>({ max: options.cacheSize });
  const resuming: Way = { name: 'resuming', options: shared, showLeaf: undefined };
  const once: Way = { name: 'once', options: withoutTickets(shared), showLeaf: undefined };
  let minted = 0;
  let cached = 0;

  const create = (target: Target, now: number): Entry => {
    const { from, until, renewal } = validityOf(authority, options.leafDays, now);
    const leaf = mint(target, from, until);
    minted += 1;
    // A ticket from one host's context cannot resume a session with another host.
    const sessionIdContext = createHash('sha256').update(target.host).digest('hex').slice(0, 32);
    return { leaf, sessionIdContext, from, renewal, asked: 0, resuming: null, once: null };
  };

  const contextOf = (entry: Entry, way: Way): SecureContext => {
    const own = entry[way.name];
    if (own !== null) return own;
    const { leaf, sessionIdContext } = entry;
    if (way.showLeaf === undefined) way.showLeaf = createChangingContext(way.options, leaf, authority.chain);
    entry.asked += 1;
    if (way.showLeaf !== null && entry.asked <= RARE) return way.showLeaf(leaf, sessionIdContext);
    const made = createSecureContext({ ...way.options, cert: leaf + authority.chain, sessionIdContext });
    entry[way.name] = made;
    return made;
  };

  const isGood = (known: Entry | undefined, now: number): known is Entry => known !== undefined && !isDue(known, now);

  return {
    isCached: (target) => isGood(entries.peek(target.host), options.now()),
    contextFor: (target, resumable = true) => {
      const way = resumable ? resuming : once;
      const now = options.now();
      const known = entries.get(target.host);
      if (isGood(known, now)) {
        cached += 1;
        return contextOf(known, way);
      }
      const entry = create(target, now);
      entries.set(target.host, entry);
      return contextOf(entry, way);
    },
    stats: () => ({ minted, cached, size: entries.size }),
  };
}
