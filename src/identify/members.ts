/** The groups and sites that a client is in: by its address, by its name, by what a trusted proxy says of it. */
import { LRUCache } from 'lru-cache';
import type { PolicyDocument } from '../flow.ts';
import { foldName } from '../user-name.ts';
import { fixed, indexGroups } from './clients.ts';

/** Users whose groups are remembered, each at one address. */
const REMEMBERED = 10_000;
const nothing: readonly string[] = [];

/**
 * @param user the name that the client has proved to have.
 * @param forwarded the groups that a trusted proxy before this one names.
 */
export type Members = (address: string, user?: string | null, forwarded?: readonly string[]) => ReadonlySet<string>;

/** Word to the groups that list it. */
function inverted(lists: Iterable<readonly [group: string, words: readonly string[]]>): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [group, words] of lists) {
    for (const word of words) found.set(word, [...(found.get(word) ?? nothing), group]);
  }
  return found;
}

/**
 * Equal answers to equal questions are one object, which never changes. A question without a user costs what it does in
 * {@link indexGroups}; one with a user costs a look into a table more, and 50 ns
 * for the case of the name.
 */
export function indexMembers({ groups, sites = {} }: Pick<PolicyDocument, 'groups' | 'sites'>): Members {
  const listed = Object.entries(groups);
  const networks = [...listed, ...Object.entries(sites)].map(([id, one]) => [id, one.networks] as const);
  const byAddress = indexGroups(Object.fromEntries(networks));
  const byUser = inverted(listed.map(([id, { users }]) => [id, users.map(foldName)]));
  const byForwarded = inverted(listed.map(([id, { forwarded }]) => [id, forwarded]));
  const remembered = new LRUCache<string, ReadonlySet<string>>({ max: REMEMBERED });

  return (address, user = null, forwarded = nothing) => {
    const here = byAddress(address);
    const own = user === null || byUser.size === 0 ? nothing : (byUser.get(foldName(user)) ?? nothing);
    const named = forwarded.flatMap((name) => byForwarded.get(name) ?? nothing);
    if (own.length + named.length === 0) return here;
    const added = [...own, ...named].toSorted();
    // The set of an address is one object for as long as this index lives.
    const key = JSON.stringify([[...here], added]);
    const known = remembered.get(key) ?? fixed([...new Set([...here, ...added])]);
    remembered.set(key, known);
    return known;
  };
}
