/** Finds groups that logs do not reveal, because a trusted proxy or a directory assigns them. */
import type { PolicyDocument } from '../flow.ts';

/** Ids, in alphabetical order, of such groups that rules or exceptions name. */
export function untoldGroups(documents: readonly PolicyDocument[]): string[] {
  const found = documents.flatMap(({ groups, rules, exceptions }) => {
    const named = new Set([...rules, ...exceptions].flatMap((entry) => entry.groups ?? []));
    return Object.entries(groups).flatMap(([id, { forwarded }]) => (forwarded.length > 0 && named.has(id) ? [id] : []));
  });
  return [...new Set(found)].toSorted();
}
