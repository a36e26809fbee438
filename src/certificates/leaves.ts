/**
 * TLS contexts for the tunnels that end here: one leaf for exactly the host that was asked for, never a wildcard, so
 * that a client cannot carry one host's answer over to another (HTTP/2 coalescing, RFC 9113, section 9.1.1).
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
  /** The one that all leaves share; equal in processes that take over each other's sessions. */
  readonly key: KeyObject;
  /** 30 to 90. */
  readonly leafDays: number;
  /** Leaves kept, at most; the least recently used one goes first. */
  readonly cacheSize: number;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  /** 48 random bytes; equal in processes that take over each other's sessions. */
  readonly ticketKeys: Buffer;
}

export interface Leaves {
  /**
   * A context whose leaf names `target`, which is in the cache or new. For a connection that begins before the next
   * call: hosts that are rarely asked for share a context, and it shows the leaf of one of them at a time.
   *
   * @param resumable whether it has to offer sessions for resumption; by default it does.
   * @throws {SallyportError} `internal_error` once the CA has expired.
   */
  readonly contextFor: (target: Target, resumable?: boolean) => SecureContext;
  /** Whether its leaf is there already, and good still. */
  readonly isCached: (target: Target) => boolean;
  /** Since the start: leaves minted, and leaves that were there already. `size`: leaves now held. */
  readonly stats: () => { readonly minted: number; readonly cached: number; readonly size: number };
}

interface Entry extends Pick<Validity, 'from' | 'renewal'> {
  /** PEM, without the chain. */
  readonly leaf: string;
  /** Separates the sessions of one host from those of another. */
  readonly sessionIdContext: string;
  /** Times that it was asked for. */
  asked: number;
  /** Its own, once they are worth it: with session tickets, and without. */
  resuming: SecureContext | null;
  once: SecureContext | null;
}

interface Way {
  readonly name: 'resuming' | 'once';
  readonly options: SecureContextOptions;
  /** Made with the first leaf; undefined before that. */
  showLeaf: ShowLeaf | null | undefined;
}

/** So many times a changed leaf costs less than a context of its own, on Node.js 20 and 24 alike. */
const RARE = 4;

/**
 * A key for leaves, which is never written to disk. Synchronous, for it happens once, before the first connection:
 * 0.2 ms for P-256, some 100 ms for RSA.
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
  /** When another one is due: half of it is spare, so that whoever keeps a connection open never sees it expire. */
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
    // No certificate is asked of clients; an empty list spares the loading of the public roots.
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
    // A ticket that one host's context gave resumes no session with another host's.
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
