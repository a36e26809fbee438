/**
 * The groups and sites that a client is in: by its address, its user name, and the groups that a trusted proxy names.
 */
import { LRUCache } from 'lru-cache';
import type { PolicyDocument } from '../flow.ts';
import { foldName } from '../user-name.ts';
import { fixed, indexGroups } from './clients.ts';

/** Number of users, each at one address, whose groups are cached. */
const REMEMBERED = 10_000;
const nothing: readonly string[] = [];

/**
 * @param user the authenticated user.
 * @param forwarded the groups that a trusted proxy names.
 */
export type Members = (address: string, user?: string | null, forwarded?: readonly string[]) => ReadonlySet<string>;

/** Maps each word to the groups that list it. */
function inverted(lists: Iterable<readonly [group: string, words: readonly string[]]>): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [group, words] of lists) {
    for (const word of words) found.set(word, [...(found.get(word) ?? nothing), group]);
  }
  return found;
}

/**
 * Equal results are one object, which never changes. Without a user a lookup costs the same as in {@link indexGroups};
 * with one, another table lookup and 50 ns to fold the name.
 */
export function indexMembers({ groups, sites = {} }: Pick<PolicyDocument, 'groups' | 'sites'>): Members {
  const listed = Object.entries(groups);
  const networks = [...listed, ...Object.entries(sites)].map(([id, one]) => [id, one.networks] as const);
  const byAddress = indexGroups(Object.fromEntries(networks));
  const byUser = inverted(listed.map(([id, { users }]) => [id, users.map(foldName)]));
  const byForwarded = inverted(listed.map(([id, { forwarded }]) => [id, forwarded.map(foldName)]));
  // A directory names hundreds of groups for each user, and spells each of them in one way.
  const spellings = new LRUCache<string, readonly string[]>({ max: REMEMBERED });
  const groupsOf = (name: string): readonly string[] => {
    let known = spellings.get(name);
    if (known === undefined) spellings.set(name, (known = byForwarded.get(foldName(name)) ?? nothing));
    return known;
  };
  const remembered = new LRUCache<string, ReadonlySet<string>>({ max: REMEMBERED });

  return (address, user = null, forwarded = nothing) => {
    const here = byAddress(address);
    const own = user === null || byUser.size === 0 ? nothing : (byUser.get(foldName(user)) ?? nothing);
    const named = byForwarded.size === 0 ? nothing : forwarded.flatMap(groupsOf);
    if (own.length + named.length === 0) return here;
    const added = [...own, ...named].toSorted();
    // Each address has one set object for the lifetime of this index.
    const key = JSON.stringify([[...here], added]);
    const known = remembered.get(key) ?? fixed([...new Set([...here, ...added])]);
    remembered.set(key, known);
    return known;
  };
}
