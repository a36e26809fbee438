/**
 * A set of domains. A million of them take 30 MiB, and a lookup a fraction of a microsecond.
 *
 * Names are stored consecutively in pages of bytes, each preceded by its length and kind. A slot of the hash table has
 * the place of a name and seven bits of its hash. These bits detect nearly every miss; if they match, the name is
 * compared byte by byte, so two names are never confused. A host is read once, from its end: the running hash is in
 * turn that of each of its suffixes, so nothing is sliced or allocated. Most hosts are on no list: for them a single
 * bit tells that no name ends in their last two labels, and neither the rest of the host nor the table is read.
 */

/** `suffix`: covers the name and its subdomains; `exact`: covers only the name; `not`: excludes all of these. */
export type Listed = 'suffix' | 'exact' | 'not';

const kinds = { suffix: 1, exact: 2, not: 3 } as const satisfies Readonly<Record<Listed, number>>;

export interface DomainSet {
  /** Number of names. */
  readonly size: number;
  /** Size of its arrays in bytes. */
  readonly bytes: number;
  /**
   * The length of the longest listed domain that covers the host; Infinity if the host itself is listed as `exact`; 0
   * if nothing covers the host, or if it is excluded.
   */
  readonly find: (host: string) => number;
}

export interface DomainSetBuilder {
  /** Adds the name at `from` to `to` in lower-case ASCII: 1 to 253 bytes, at least two labels. */
  readonly add: (bytes: Uint8Array, from: number, to: number, listed: Listed) => void;
  /** Builds the set step by step, so that the event loop can run in between. */
  readonly build: () => Generator<void, DomainSet>;
}

const PAGE_BITS = 20;
const PAGE = 1 << PAGE_BITS;
/** Names begin at multiples of this, so 25 bits address 128 MiB. */
const ALIGN = 4;
const PLACE_BITS = 25;
const PLACE_MASK = (1 << PLACE_BITS) - 1;
const MAX_PAGES = (ALIGN << PLACE_BITS) / PAGE;
const DOT = 46;
/** Maximum load of the hash table: a higher one makes probes longer, a lower one the table larger. */
const FILL = 0.7;
/** Slots of the cache of results. A power of two. */
const RECENT = 16_384;
/** Bits per slot of the filter on the last two labels. A power of two. */
const HEAD_BITS = 8;
/** Names to insert in one step, which takes about a millisecond. */
const STEP = 4_096;
/** FNV-1a, 32 bits. */
const PRIME = 16_777_619;

/** Finalises a hash, so that the last byte affects all bits. */
function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  const twice = Math.imul(once ^ (once >>> 15), 0x846ca68b);
  return (twice ^ (twice >>> 16)) >>> 0;
}

/** The upper seven bits of a hash, at the same position as in a slot. */
function tagOf(hash: number): number {
  return hash & ~PLACE_MASK;
}

function aligned(at: number): number {
  return (at + ALIGN - 1) & -ALIGN;
}

/** @param seed makes the hash unpredictable, so that nobody can craft a list whose names collide. */
export function buildDomainSet(seed: number): DomainSetBuilder {
  const pages: Uint8Array[] = [];
  let page = new Uint8Array(0);
  let used = 0;
  let count = 0;

  const add: DomainSetBuilder['add'] = (bytes, from, to, listed) => {
    const length = to - from;
    if (used + length + 2 > page.length) {
      if (pages.length === MAX_PAGES) throw new RangeError('the list has more than 128 MiB of names; split it');
      page = new Uint8Array(PAGE);
      pages.push(page);
      // Place 0 marks a free slot.
      used = ALIGN;
    }
    page[used] = length;
    page[used + 1] = kinds[listed];
    for (let i = 0; i < length; i++) page[used + 2 + i] = bytes[from + i] ?? 0;
    used = aligned(used + length + 2);
    count += 1;
  };

  function* build(): Generator<void, DomainSet> {
    // Releases the unused rest of the last page.
    if (used < page.length) pages[pages.length - 1] = page.slice(0, used);
    const table = createTable(pages, count, seed);
    let step = 0;
    for (const [number, bytes] of pages.entries()) {
      for (let at = ALIGN; at < bytes.length && bytes[at] !== 0; at = aligned(at + (bytes[at] ?? 0) + 2)) {
        table.insert(((number << PAGE_BITS) | at) / ALIGN);
        if (++step % STEP === 0) yield;
      }
    }
    return table.set();
  }

  return { add, build };
}

interface Table {
  /** Inserts the name at a place. */
  readonly insert: (place: number) => void;
  readonly set: () => DomainSet;
}

function createTable(pages: readonly Uint8Array[], count: number, seed: number): Table {
  const capacity = 2 ** Math.ceil(Math.log2(Math.max(16, count / FILL)));
  const mask = capacity - 1;
  /** A slot has a tag of the hash and the place of a name; 0: free. */
  const slots = new Uint32Array(capacity);
  const last = PAGE - 1;
  const heads = new Uint32Array(Math.max(1, (capacity * HEAD_BITS) / 32));
  const headMask = capacity * HEAD_BITS - 1;
  let size = 0;

  /** The kinds under which the part of a host from `start` on is listed, as bits; 0 if it is not listed. */
  const listedAs = (host: string, start: number, hash: number): number => {
    const length = host.length - start;
    const tag = tagOf(hash);
    let found = 0;
    for (let slot = hash & mask, value = slots[slot]; value !== 0 && value !== undefined; value = slots[slot]) {
      slot = (slot + 1) & mask;
      if (tagOf(value) !== tag) continue;
      const place = (value & PLACE_MASK) * ALIGN;
      const bytes = pages[place >>> PAGE_BITS];
      const at = place & last;
      if (bytes?.[at] !== length) continue;
      let i = 0;
      while (i < length && bytes[at + 2 + i] === host.charCodeAt(start + i)) i++;
      if (i === length) found |= 1 << (bytes[at + 1] ?? 0);
    }
    return found;
  };

  const insert = (place: number): void => {
    const bytes = pages[(place * ALIGN) >>> PAGE_BITS];
    const at = (place * ALIGN) & last;
    if (bytes === undefined) return;
    const length = bytes[at] ?? 0;
    let hash = seed;
    let dots = 0;
    let head: number | null = null;
    for (let i = length - 1; i >= 0; i--) {
      const byte = bytes[at + 2 + i] ?? 0;
      if (byte === DOT && ++dots === 2) head = mixed(hash);
      hash = Math.imul(hash ^ byte, PRIME);
    }
    hash = mixed(hash);
    head ??= hash;
    const word = (head & headMask) >>> 5;
    heads[word] = (heads[word] ?? 0) | (1 << (head & 31));
    const tag = tagOf(hash);
    let slot = hash & mask;
    for (let value = slots[slot]; value !== 0 && value !== undefined; value = slots[slot]) {
      slot = (slot + 1) & mask;
      if (tagOf(value) !== tag) continue;
      const other = (value & PLACE_MASK) * ALIGN;
      const there = pages[other >>> PAGE_BITS];
      const begin = other & last;
      // The kind is part of the comparison, because a name may be both listed and excluded.
      let i = -2;
      while (i < length && there?.[begin + 2 + i] === bytes[at + 2 + i]) i++;
      if (i === length) return;
    }
    slots[slot] = tag | place;
    size += 1;
  };

  const endsAList = (head: number): boolean => ((heads[(head & headMask) >>> 5] ?? 0) & (1 << (head & 31))) !== 0;

  /** Continues a lookup with the rest of the host, from index `from` down to its beginning. */
  const findBelow = (host: string, from: number, begun: number): number => {
    let hash = begun;
    let best = 0;
    for (let i = from; i >= -1; i--) {
      // The beginning of the host is a label boundary too.
      const code = i === -1 ? DOT : host.charCodeAt(i);
      if (code === DOT) {
        const found = listedAs(host, i + 1, mixed(hash));
        if ((found & (1 << kinds.not)) !== 0) return 0;
        if ((found & (1 << kinds.suffix)) !== 0) best = host.length - i - 1;
        if (i === -1 && (found & (1 << kinds.exact)) !== 0) best = Infinity;
      }
      hash = Math.imul(hash ^ code, PRIME);
    }
    return best;
  };

  /** Results for recent hosts that passed the filter: frequent ones are often on a list. */
  const recent = new Array<string>(RECENT).fill('');
  const recentLengths = new Float64Array(RECENT);
  const findAgain = (host: string, from: number, begun: number): number => {
    let hash = begun;
    for (let i = from; i >= 0; i--) hash = Math.imul(hash ^ host.charCodeAt(i), PRIME);
    const slot = mixed(hash) & (RECENT - 1);
    if (recent[slot] === host) return recentLengths[slot] ?? 0;
    const length = findBelow(host, from, begun);
    recent[slot] = host;
    recentLengths[slot] = length;
    return length;
  };

  const find = (host: string): number => {
    let hash = seed;
    let dots = 0;
    for (let i = host.length - 1; i >= 0; i--) {
      const code = host.charCodeAt(i);
      if (code === DOT && ++dots === 2) {
        return endsAList(mixed(hash)) ? findAgain(host, i, hash) : 0;
      }
      hash = Math.imul(hash ^ code, PRIME);
    }
    return endsAList(mixed(hash)) ? findAgain(host, -1, hash) : 0;
  };

  const bytes = pages.reduce((sum, { length }) => sum + length, slots.byteLength + heads.byteLength);
  return { insert, set: () => ({ size, bytes, find }) };
}
