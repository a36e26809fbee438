/** Groups that a log does not tell: what a trusted proxy or a directory says of a client is in none. */
import type { PolicyDocument } from '../flow.ts';

/** Ids of the groups that rules or exceptions name and that clients are in by the word of others, in order. */
export function untoldGroups(documents: readonly PolicyDocument[]): string[] {
  const found = documents.flatMap(({ groups, rules, exceptions }) => {
    const named = new Set([...rules, ...exceptions].flatMap((entry) => entry.groups ?? []));
    return Object.entries(groups).flatMap(([id, { forwarded }]) => (forwarded.length > 0 && named.has(id) ? [id] : []));
  });
  return [...new Set(found)].toSorted();
}
