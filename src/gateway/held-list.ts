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
  /** State of the file when it was last checked; empty: there was none; null: not checked yet. */
  stamp: string | null;
  lastSuccessAt: number | null;
  complained: string;
  /** Result of the last fetch; null: there was none. */
  last: FetchResult | null;
  /** Number of failed fetches in a row. */
  failures: number;
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
    stamp: null,
    lastSuccessAt: null,
    complained: '',
    last: null,
    failures: 0,
    timer: undefined,
    fetching: null,
    over: new AbortController(),
    fetches: Object.fromEntries(results.map((result) => [result, 0])) as Record<FetchResult, number>,
  };
}

export const emptied = 'it no longer contains any domain';

/** Milliseconds: the first wait for a list that was never loaded, and the longest wait after a failure. */
const SOON = 5_000;
const RETRY = 300_000;

/**
 * Milliseconds before a list is fetched again after a failure. A list that was never loaded covers nothing, and its
 * server may just be starting, so it is fetched again soon, with exponential backoff.
 *
 * @param failures in a row, 1 or more.
 * @param loaded whether an older copy is in force.
 */
export function retryAfter(failures: number, loaded: boolean): number {
  return loaded ? RETRY : Math.min(RETRY, SOON * 2 ** (failures - 1));
}

/** Whether the list is now the same as on its server. */
export function isSound(result: FetchResult): boolean {
  return result === 'adopted' || result === 'unchanged';
}

/** Why a list cannot be used, and what to do. */
export function whyUnusable({ list, set, complained }: Held): string {
  const cure = list.url === null ? 'correct the file, or remove the list' : 'run "sallyport reload" to fetch it again';
  if (complained !== '') return `${complained}; ${cure}`;
  return `${set === null ? 'the copy of what was fetched is gone' : emptied}; ${cure}`;
}

/** Stops fetching, and aborts work in progress. */
export function end(one: Held): void {
  clearTimeout(one.timer);
  one.over.abort();
}
