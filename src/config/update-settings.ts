/**
 * `vendors_url` and `vendors_fetch` in sallyport.yaml: where a newer catalogue is fetched from, and what it may change.
 */
import { z } from 'zod';
import { duration, line, strict, webUrl } from './scalars.ts';

export interface UpdateSettings {
  readonly url: string;
  /** The last good copy. */
  readonly file: string;
  /** Milliseconds between two fetches. */
  readonly interval: number;
  /** Percentage of the hosts that one update may remove. */
  readonly maxRemoved: number;
  /** PEM file of CAs for the server's certificate; null: only the system's. */
  readonly caFile: string | null;
}

export const updateKeys = {
  vendors_url: webUrl.optional(),
  vendors_fetch: strict({
    interval: duration.prefault('1h'),
    file: line.default('fetched-catalogue.json'),
    max_removed: z.number().min(0).max(100).default(10),
    ca_file: line.optional(),
  }).prefault({}),
};

interface Given {
  readonly vendors_url?: string | undefined;
  readonly vendors_key?: string | undefined;
  readonly vendors_fetch: z.output<(typeof updateKeys)['vendors_fetch']>;
}

/** A fetched catalogue is only used with a key to verify it. */
export function needsKey({ vendors_url: url, vendors_key: key }: Given, context: z.core.$RefinementCtx): void {
  if (url === undefined || key !== undefined) return;
  const message = '"vendors_url" needs the key that its bundles are signed with; name it as "vendors_key"';
  context.addIssue({ code: 'custom', path: ['vendors_url'], message });
}

/** @param path makes paths absolute. */
export function updatesOf(given: Given, path: (name: string) => string): UpdateSettings | null {
  const { vendors_url: url, vendors_fetch: fetch } = given;
  if (url === undefined) return null;
  return {
    url,
    file: path(fetch.file),
    interval: fetch.interval,
    maxRemoved: fetch.max_removed,
    caFile: fetch.ca_file === undefined ? null : path(fetch.ca_file),
  };
}
