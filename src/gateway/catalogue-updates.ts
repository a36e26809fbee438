/**
 * Keeps the catalogue up to date: fetches a signed bundle periodically, validates it and has it adopted. This never
 * delays a request, and after any failure the catalogue in force stays.
 */
import type { Bundle } from '../config/bundle.ts';
import { changeLines } from '../config/catalogue-diff.ts';
import type { Changes } from '../config/catalogue-diff.ts';
import { judgeUpdate, keepCopy } from '../config/catalogue-update.ts';
import { counted } from '../config/counted.ts';
import { fetchText } from '../config/fetch-bundle.ts';
import { shownUrl } from '../config/fetch.ts';
import type { Config } from '../config/schema.ts';
import type { UpdateSettings } from '../config/update-settings.ts';
import { ConfigError } from '../errors.ts';
import { readWhole } from '../read-whole.ts';

export type FetchResult = 'adopted' | 'unchanged' | 'refused' | 'failed';

export interface CatalogueUpdatesOptions {
  /** The configuration in force. */
  readonly config: () => Config;
  /** Reads the configuration with a bundle in place of the fetched copy. @throws {ConfigError} */
  readonly attempt: (candidate: Bundle) => unknown;
  /** Puts the current contents of the files into force. */
  readonly reload: () => boolean;
  readonly log: (line: string) => void;
}

export interface CatalogueUpdates {
  /** Fetches now, and then as configured. To be called again after each reload. */
  readonly follow: () => void;
  readonly counts: () => Readonly<Record<FetchResult, number>>;
  /** Epoch milliseconds of the last successful fetch, with or without an update; null: never. */
  readonly lastSuccessAt: () => number | null;
  readonly close: () => void;
}

/** Maximum number of changes that are logged one by one. */
const MAX_LINES = 50;

/** Fraction by which intervals vary, so that proxies that start together do not fetch at the same moment. */
const SPREAD = 0.1;

function summary({ vendors, hosts }: Changes): string {
  const { added, removed, moved } = hosts;
  const people = `${counted(vendors.added.length, 'vendor')} added, ${vendors.removed.length} removed`;
  return `${people}; ${counted(added.length, 'host')} added, ${removed.length} removed, ${moved.length} moved`;
}

export function createCatalogueUpdates(options: CatalogueUpdatesOptions): CatalogueUpdates {
  const { config, attempt, reload, log } = options;
  const counts: Record<FetchResult, number> = { adopted: 0, unchanged: 0, refused: 0, failed: 0 };
  let lastSuccessAt: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  let following: string | null = null;
  /** Of the bundle in force. A refused one is fetched again, since the reason may have gone by then. */
  let etag: string | null = null;
  let complained = '';
  let round = 0;

  const adopt = (text: string, updates: UpdateSettings): FetchResult => {
    const update = judgeUpdate(text, config().catalogueFrom, updates, Date.now());
    if (update === null) return 'unchanged';
    attempt(update.bundle);
    keepCopy(updates.file, text);
    const lines = changeLines(update.changes);
    log(`catalogue: adopting the bundle of ${update.bundle.created}: ${summary(update.changes)}`);
    for (const line of lines.slice(0, MAX_LINES)) log(`catalogue: ${line}`);
    if (lines.length > MAX_LINES) log(`catalogue: and ${lines.length - MAX_LINES} more changes`);
    return reload() ? 'adopted' : 'failed';
  };

  const fetched = async (updates: UpdateSettings): Promise<FetchResult> => {
    const ca = updates.caFile === null ? null : readWhole(updates.caFile).toString();
    const answer = await fetchText({ url: updates.url, etag, ca });
    if (answer.kind === 'unchanged') return 'unchanged';
    etag = null;
    const result = adopt(answer.text, updates);
    if (result !== 'failed') etag = answer.etag;
    return result;
  };

  /** Logs a problem once: a server that is down for a day gets one line. */
  const complain = (what: string, updates: UpdateSettings, error: unknown): void => {
    const line = `catalogue: ${what} ${shownUrl(updates.url)}: ${error instanceof Error ? error.message : String(error)}`;
    if (line !== complained) log(`${line}; the one in force stays`);
    complained = line;
  };

  const run = async (updates: UpdateSettings): Promise<void> => {
    let result: FetchResult;
    try {
      result = await fetched(updates);
      complained = '';
    } catch (error) {
      const unfit = error instanceof ConfigError;
      complain(unfit ? 'refused the update from' : 'no update from', updates, error);
      result = unfit ? 'refused' : 'failed';
    }
    counts[result] += 1;
    if (result === 'adopted' || result === 'unchanged') lastSuccessAt = Date.now();
  };

  const start = (updates: UpdateSettings): void => {
    const mine = ++round;
    const again = async (): Promise<void> => {
      await run(updates);
      if (mine !== round) return;
      const wait = updates.interval * (1 - SPREAD * Math.random());
      timer = setTimeout(() => void again(), wait).unref();
    };
    void again();
  };

  const stop = (): void => {
    round += 1;
    clearTimeout(timer);
  };

  return {
    follow() {
      const { catalogueFrom, catalogue } = config();
      const updates = catalogueFrom.updates ?? null;
      if (catalogue.unused !== null) log(`catalogue: the fetched copy is not used: ${catalogue.unused}`);
      const wanted = updates === null ? null : JSON.stringify([updates, catalogueFrom.key]);
      if (wanted === following) return;
      following = wanted;
      etag = null;
      stop();
      if (updates !== null) start(updates);
    },
    counts: () => counts,
    lastSuccessAt: () => lastSuccessAt,
    close: stop,
  };
}
