/** Maps a client's address to the groups of the policy. */
import { LRUCache } from 'lru-cache';
import { isMapped, readAddress, unmapped } from './address.ts';
import type { Bits } from './address.ts';

/** Number of addresses whose groups are cached; a company's clients come again and again. */
const REMEMBERED = 10_000;

interface Block extends Bits {
  /** Bits of the prefix. */
  readonly length: number;
}

/** The blocks of one prefix length, and the groups that have them. */
interface Prefixes {
  readonly length: number;
  readonly groups: Map<bigint, Set<string>>;
}

function readBlock(text: string): Block | null {
  const [address = '', prefix] = text.split('/', 2);
  const written = readAddress(address);
  if (written === null) return null;
  const length = prefix === undefined ? written.width : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (length < 0 || length > written.width) return null;
  // A shorter prefix than that of the mapped addresses covers more than IPv4.
  return isMapped(written) && length >= 96 ? { ...unmapped(written), length: length - 96 } : { ...written, length };
}

function indexBlocks(groups: Readonly<Record<string, readonly string[]>>): Record<Bits['width'], Prefixes[]> {
  const index: Record<Bits['width'], Prefixes[]> = { 32: [], 128: [] };
  for (const [group, blocks] of Object.entries(groups)) {
    for (const text of blocks) {
      const block = readBlock(text);
      if (block === null) throw new TypeError(`group "${group}": "${text}" is not an address or a CIDR block`);
      const { width, value, length } = block;
      let prefixes = index[width].find((other) => other.length === length);
      if (prefixes === undefined) index[width].push((prefixes = { length, groups: new Map() }));
      const prefix = value >> BigInt(width - length);
      prefixes.groups.set(prefix, (prefixes.groups.get(prefix) ?? new Set()).add(group));
    }
  }
  return index;
}

/** A set that cannot be changed: many clients share it. */
export function fixed(ids: readonly string[]): ReadonlySet<string> {
  const refuse = (): never => {
    throw new TypeError('the groups of a client cannot be changed');
  };
  return Object.freeze(Object.assign(new Set(ids), { add: refuse, delete: refuse, clear: refuse }));
}

/**
 * The groups of the policy that an address is in. `groups`: id to CIDR blocks and addresses.
 *
 * IPv4-mapped IPv6 counts as IPv4; text that is no address is in no group. Equal sets are one object, which never
 * changes. The first lookup of an address costs one step for each different prefix length, at most 162; later ones are
 * cached.
 *
 * @throws {TypeError} naming the group whose block cannot be read.
 */
export function indexGroups(
  groups: Readonly<Record<string, readonly string[]>>,
): (address: string) => ReadonlySet<string> {
  const none = fixed([]);
  const index = indexBlocks(groups);
  if (index[32].length + index[128].length === 0) return () => none;

  const sets = new Map<string, ReadonlySet<string>>([['[]', none]]);
  const shared = (found: ReadonlySet<string>): ReadonlySet<string> => {
    const ids = [...found].toSorted();
    const key = JSON.stringify(ids);
    const set = sets.get(key) ?? fixed(ids);
    sets.set(key, set);
    return set;
  };

  const lookUp = (address: string): ReadonlySet<string> => {
    const written = readAddress(address);
    if (written === null) return none;
    const { width, value } = unmapped(written);
    const found = new Set<string>();
    for (const { length, groups: byPrefix } of index[width]) {
      for (const group of byPrefix.get(value >> BigInt(width - length)) ?? []) found.add(group);
    }
    return shared(found);
  };

  const remembered = new LRUCache<string, ReadonlySet<string>>({ max: REMEMBERED });
  return (address) => {
    const known = remembered.get(address);
    if (known !== undefined) return known;
    const set = lookUp(address);
    remembered.set(address, set);
    return set;
  };
}
