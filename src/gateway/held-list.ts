/** The state of one external domain list. */
import type { ListText } from '../config/read-list.ts';
import type { DomainSet } from '../decide/domain-set.ts';
import type { DomainList } from '../flow.ts';

const results = ['adopted', 'unchanged', 'refused', 'failed'] as const;
export type FetchResult = (typeof results)[number];

/** Replaced if its source changes. */
export interface Held {
  readonly source: string;
  list: DomainList;
  set: DomainSet | null;
  /** Null: never read from this source. */
  text: ListText | null;
  stamp: string;
  lastSuccessAt: number | null;
  complained: string;
  /** Result of the last fetch; null: there was none. */
  last: FetchResult | null;
  timer: NodeJS.Timeout | undefined;
  fetching: Promise<void> | null;
  /** Aborted when the list is replaced or removed, so that work in progress has no effect. */
  readonly over: AbortController;
  readonly fetches: Record<FetchResult, number>;
}

/** Identifies the source; if it changes, everything held is obsolete. */
export function sourceOf({ file, url, format, sha256 }: DomainList): string {
  return JSON.stringify([file, url, format, sha256]);
}

/** @param set in force until the list is read. */
export function heldOf(list: DomainList, set: DomainSet | null): Held {
  return {
    source: sourceOf(list),
    list,
    set,
    text: null,
    stamp: '',
    lastSuccessAt: null,
    complained: '',
    last: null,
    timer: undefined,
    fetching: null,
    over: new AbortController(),
    fetches: Object.fromEntries(results.map((result) => [result, 0])) as Record<FetchResult, number>,
  };
}

/** Asks no more, and ends what is under way. */
export function end(one: Held): void {
  clearTimeout(one.timer);
  one.over.abort();
}
