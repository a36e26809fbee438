/** How specifically a domain, or an entry of a list, covers a host. */
import type { What } from '../flow.ts';
import type { DomainSet } from './domain-set.ts';
import { closest } from './entry.ts';

/** The external lists of a policy, by id. A missing list covers nothing. */
export type DomainSets = ReadonlyMap<string, DomainSet>;

export interface Near {
  /** Describes what covers the host. */
  readonly what: string;
  readonly distance: number;
}

/** The most specific domain or list that covers the host; null if none does. A smaller distance is more specific. */
export function nearest(
  { domains = [], lists = [] }: Pick<What, 'domains' | 'lists'>,
  host: string,
  sets: DomainSets,
): Near | null {
  const own = closest(domains, host);
  let best = own === null ? null : { what: `the host ${own.pattern}`, distance: own.distance };
  for (const id of lists) {
    const length = sets.get(id)?.find(host) ?? 0;
    if (length > 0 && -length < (best?.distance ?? Infinity)) best = { what: `the list ${id}`, distance: -length };
  }
  return best;
}

/** Whether it names hosts, directly or by lists. */
export function namesHosts({ domains, lists }: Pick<What, 'domains' | 'lists'>): boolean {
  return (domains ?? lists) !== undefined;
}
