/**
 * The external domain lists of the policy in force. They are read in small steps and replaced as a whole; after any
 * failure the last good list stays in force.
 */
import { rm, stat } from 'node:fs/promises';
import { counted } from '../config/counted.ts';
import { removeLeftovers } from '../config/durable.ts';
import { fetchList, keepList, tagOf } from '../config/fetch-list.ts';
import { shownUrl } from '../config/fetch.ts';
import { placedWarnings } from '../config/lint.ts';
import { listsDenied } from '../config/lists-schema.ts';
import { invalidConfig } from '../config/problem.ts';
import { readDomainList, type ListText } from '../config/read-list.ts';
import type { Config } from '../config/schema.ts';
import { stampOf } from '../config/stamp.ts';
import { buildDomainSet, type DomainSet } from '../decide/domain-set.ts';
import type { DomainList } from '../flow.ts';
import {
  emptied,
  end,
  heldOf,
  isSound,
  retryAfter,
  sourceOf,
  whyUnusable,
  type FetchResult,
  type Held,
} from './held-list.ts';

/** One list, for metrics and the API. */
export interface ListFacts {
  readonly id: string;
  /** Number of names in force; 0 if there are none yet. */
  readonly domains: number;
  readonly badLines: number;
  readonly sha256: string | null;
  /** When it was last read or found unchanged, epoch milliseconds; null: never. */
  readonly lastSuccessAt: number | null;
  /** False: the last reading or fetch failed, and an older list is in force, or none. */
  readonly successful: boolean;
  readonly fetches: Readonly<Record<FetchResult, number>>;
}

export interface DomainListsOptions {
  /** Called when other names are in force. */
  readonly changed: () => void;
  readonly log: (line: string) => void;
  /** False: another process fetches, and this one reads its copies. */
  readonly fetches: boolean;
  /** Makes hashes differ between processes. */
  readonly seed: number;
}

export interface DomainLists {
  /** A new object after each change. */
  readonly sets: () => ReadonlyMap<string, DomainSet>;
  /** Reads the lists that a configuration names and that have not been read yet. Never rejects. */
  readonly prepare: (config: Pick<Config, 'policy'>) => Promise<void>;
  /** Fetches lists periodically from now on. */
  readonly follow: (config: Pick<Config, 'policy'>) => void;
  /**
   * Checks that the lists can be used.
   *
   * @param elsewhere ids of the lists that have domains in another process of this proxy.
   * @throws {InvalidConfig} if a file that the policy names is no list, and no earlier version of it is held; or if a
   *   list has domains elsewhere but not here, so that this process would allow what others deny.
   */
  readonly demand: (config: Pick<Config, 'policy' | 'policyFile'>, elsewhere?: readonly string[]) => void;
  /** Ids of the lists in force that have domains. */
  readonly loaded: () => readonly string[];
  /** What is wrong with a list that a denial needed at the start: never loaded, or empty; null if nothing is. */
  readonly awaited: () => string | null;
  readonly facts: () => readonly ListFacts[];
  readonly close: () => void;
}

/** Milliseconds that a start, or a new policy, waits for all lists that were never fetched. */
const PATIENCE = 5_000;
/** Fraction by which intervals vary, so that proxies that start together do not fetch at the same moment. */
const SPREAD = 0.1;

/** Empty if there is no such file. */
async function stampOrNone(file: string): Promise<string> {
  try {
    return stampOf(await stat(file, { bigint: true }));
  } catch {
    return '';
  }
}

export function createDomainLists({ changed, log, fetches, seed }: DomainListsOptions): DomainLists {
  const held = new Map<string, Held>();
  let sets: ReadonlyMap<string, DomainSet> = new Map();
  let running = false;
  let awaited: ReadonlySet<string> = new Set();

  const publish = (): void => {
    const next = [...held].flatMap(([id, { set }]) => (set === null ? [] : [[id, set] as const]));
    sets = new Map(next);
  };

  /** Logs a problem once: a server that is down for a day gets one line. */
  const complain = (one: Held, error: unknown): void => {
    if (one.over.signal.aborted) return;
    const line = error instanceof Error ? error.message : String(error);
    const stays =
      one.set === null ? 'it has never been loaded, so it covers nothing' : 'the last good copy stays in use';
    const where = one.list.url === null ? one.list.file : shownUrl(one.list.url);
    // A local file without which nothing can come into force is reported as an error of the policy.
    const refused = one.list.url === null && one.set === null;
    if (line !== one.complained && !refused) log(`list ${one.list.id}: ${where}: ${line}; ${stays}`);
    one.complained = line;
  };

  const read = (one: Held, file: string): Promise<{ readonly set: DomainSet; readonly text: ListText }> =>
    readDomainList(one.list, file, buildDomainSet(seed));

  const good = (one: Held): void => {
    one.lastSuccessAt = Date.now();
    one.complained = '';
  };

  const adopt = (one: Held, { set, text }: { readonly set: DomainSet; readonly text: ListText }): void => {
    if (one.over.signal.aborted) return;
    one.set = set;
    one.text = text;
    good(one);
    publish();
    const { bad, firstBad } = text;
    const first =
      firstBad === null ? '' : `, ${counted(bad, 'bad line')}, the first is line ${firstBad.line}: ${firstBad.why}`;
    const wanting = set.size === 0 && awaited.has(one.list.id);
    const cure = 'not ready until it has one; fill the file, or take the list out of the policy';
    log(
      `list ${one.list.id}: ${counted(set.size, 'domain')}${first}${wanting ? `, and a denial names it: ${cure}` : ''}`,
    );
  };

  /** Reads the file, or the copy of the last fetch. */
  const readFile = async (one: Held): Promise<void> => {
    const stamp = await stampOrNone(one.list.file);
    if (stamp === one.stamp) return;
    one.stamp = stamp;
    if (stamp === '' && one.list.url !== null) return;
    try {
      const found = await read(one, one.list.file);
      // A list that has lost all its names was truncated; to have none, it has to be removed from the policy.
      if (found.set.size === 0 && one.set !== null && one.set.size > 0) throw new Error(emptied);
      adopt(one, found);
    } catch (error) {
      complain(one, error);
    }
  };

  const fetched = async (one: Held): Promise<FetchResult> => {
    const { file: copy, maxBytes } = one.list;
    const url = one.list.url ?? '';
    const { signal } = one.over;
    // Left by fetches that were killed. An aborted fetch removes its own file.
    if (one.last === null) await removeLeftovers(copy).catch(() => undefined);
    const etag = one.text === null || one.stamp === '' ? null : tagOf(copy, { url, sha256: one.text.sha256 });
    const answer = await fetchList({ url, etag, copy, maxBytes, signal });
    if (answer.kind === 'unchanged') {
      good(one);
      return 'unchanged';
    }
    const found = await read(one, answer.file).catch((error: unknown) => {
      complain(one, error);
      return null;
    });
    if (found === null || signal.aborted) {
      await rm(answer.file, { force: true });
      return 'refused';
    }
    keepList(answer.file, copy, { url, etag: answer.etag, sha256: found.text.sha256 });
    one.stamp = await stampOrNone(copy);
    const same = one.text?.sha256 === found.text.sha256;
    if (same) good(one);
    else adopt(one, found);
    return same ? 'unchanged' : 'adopted';
  };

  const fetchOnce = async (one: Held): Promise<void> => {
    const before = sets;
    const result = await fetched(one).catch((error: unknown): FetchResult => {
      complain(one, error);
      return 'failed';
    });
    one.fetches[result] += 1;
    one.fetching = null;
    one.last = result;
    one.failures = isSound(result) ? 0 : one.failures + 1;
    if (!running || one.over.signal.aborted) return;
    if (sets !== before) changed();
    askLater(one);
  };

  const askLater = (one: Held): void => {
    const retry = one.failures === 0 ? Infinity : retryAfter(one.failures, one.text !== null);
    const wait = Math.min(one.list.refresh, retry);
    clearTimeout(one.timer);
    one.timer = setTimeout(() => ask(one), wait * (1 - SPREAD * Math.random())).unref();
  };

  const ask = (one: Held): void => {
    clearTimeout(one.timer);
    one.timer = undefined;
    one.fetching ??= fetchOnce(one);
  };

  const fetchedInTime = async (missing: readonly Held[]): Promise<void> => {
    const ids = missing.map(({ list }) => list.id).join(', ');
    log(`waiting up to ${PATIENCE / 1000} s for the ${missing.length === 1 ? 'list' : 'lists'} ${ids}`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE)));
    await Promise.race([Promise.all(missing.flatMap(({ fetching }) => fetching ?? [])), late]);
    clearTimeout(timer);
  };

  const hold = (list: DomainList): Held => {
    const before = held.get(list.id);
    if (before?.source === sourceOf(list)) {
      before.list = list;
      return before;
    }
    if (before !== undefined) end(before);
    // The earlier list of this name stays until the new source is read.
    const one = heldOf(list, before?.set ?? null);
    held.set(list.id, one);
    return one;
  };

  return {
    sets: () => sets,
    async prepare({ policy }) {
      const missing: Held[] = [];
      if (!running) awaited = listsDenied(policy);
      for (const list of policy.lists ?? []) {
        const one = hold(list);
        await readFile(one);
        if (!fetches || list.url === null) continue;
        // If its copy is gone, this process still has the list, but a new worker could not read it.
        if (one.text === null || one.stamp === '') ask(one);
        if (one.text === null) missing.push(one);
      }
      if (missing.length > 0) await fetchedInTime(missing);
    },
    follow({ policy }) {
      running = true;
      const lists = policy.lists ?? [];
      const ids = new Set(lists.map(({ id }) => id));
      const gone = [...held].filter(([id]) => !ids.has(id));
      for (const [id, one] of gone) {
        end(one);
        held.delete(id);
      }
      if (gone.length > 0) publish();
      for (const list of lists) {
        const one = hold(list);
        if (!fetches || list.url === null || one.fetching !== null || one.timer !== undefined) continue;
        if (one.last === null) ask(one);
        else askLater(one);
      }
    },
    demand({ policy, policyFile: file }, elsewhere = []) {
      const unread = (policy.lists ?? []).flatMap(({ id, url, file: from }) => {
        const one = held.get(id);
        if (one === undefined) return [];
        const refused = url === null && one.set === null && one.complained !== '';
        const lost = elsewhere.includes(id) && (one.set === null || one.set.size === 0);
        if (!refused && !lost) return [];
        return [
          {
            file,
            path: ['lists', id],
            onKey: true,
            message: `the list "${id}" cannot be used: ${from}: ${whyUnusable(one)}`,
          },
        ];
      });
      if (unread.length > 0) throw invalidConfig(placedWarnings(unread));
    },
    loaded: () => [...sets].flatMap(([id, { size }]) => (size > 0 ? [id] : [])),
    awaited() {
      for (const id of awaited) {
        const one = held.get(id);
        const why = one?.set === null ? 'has not been loaded yet' : one?.set.size === 0 ? 'has no domain in it' : null;
        if (why !== null) return `the list ${id}, which a denial names, ${why}`;
      }
      return null;
    },
    facts: () =>
      [...held.values()].map(({ list, set, text, lastSuccessAt, complained, fetches: ended }) => ({
        id: list.id,
        domains: set?.size ?? 0,
        badLines: text?.bad ?? 0,
        sha256: text?.sha256 ?? null,
        lastSuccessAt,
        successful: lastSuccessAt !== null && complained === '',
        fetches: ended,
      })),
    close() {
      running = false;
      for (const one of held.values()) end(one);
    },
  };
}
