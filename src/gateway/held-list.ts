/** What is known of one external domain list, and how it ends. */
import type { ListText } from '../config/read-list.ts';
import type { DomainSet } from '../decide/domain-set.ts';
import type { DomainList } from '../flow.ts';

const results = ['adopted', 'unchanged', 'refused', 'failed'] as const;
export type FetchResult = (typeof results)[number];

/** Replaced where its source is another. */
export interface Held {
  readonly source: string;
  list: DomainList;
  set: DomainSet | null;
  text: ListText | null;
  stamp: string;
  lastSuccessAt: number | null;
  complained: string;
  /** How the last fetch ended; null: none has. */
  last: FetchResult | null;
  timer: NodeJS.Timeout | undefined;
  fetching: Promise<void> | null;
  /** Aborted once another is in its place, or nobody wants it any more: what is under way for it has no effect. */
  readonly over: AbortController;
  readonly fetches: Record<FetchResult, number>;
}

/** Where another makes all that is held worthless. */
export function sourceOf({ file, url, format, sha256 }: DomainList): string {
  return JSON.stringify([file, url, format, sha256]);
}

/** @param set holds until the list is read. */
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
