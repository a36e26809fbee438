/** When the configuration is read again: as its files change, and whenever somebody asks. */
import { setTimeout as startTimer } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import { configFiles } from '../config/load.ts';
import { filesNamed } from '../config/named-files.ts';
import type { Config } from '../config/schema.ts';
import { catalogueFolders } from '../config/vendors.ts';
import { warmCatalogue } from '../config/warm.ts';
import { watchFiles, type Watch, type Watched } from '../config/watch.ts';
import { ConfigError, describe } from '../errors.ts';
import type { DomainLists } from './domain-lists.ts';
import type { Asked, Reloaded, ReloadState } from './in-force.ts';
import { needsRestart } from './restart.ts';
import { SETTLE } from './settling.ts';

/** Milliseconds that somebody who is still writing a file is given. */
const HALF_WRITTEN = 250;

/** Milliseconds by which a timer may be early. */
const ROUNDED = 10;

/** Milliseconds between two readings that operators ask for. */
const BREATH = 250;
/** Milliseconds after which the next is made all the same: a file system that is gone must not end all reloading. */
const STUCK = 30_000;

/** Whether a reload failed for want of descriptors, which comes and goes with connections: no change of a file ends it. */
export function outOfFiles(problem: string | null): boolean {
  return problem !== null && /\bE[MN]FILE\b/.test(problem);
}

export interface ReloadingOptions {
  /** In force. */
  readonly config: () => Config;
  /** Reads the configuration, for a reload that follows. @throws {ConfigError} */
  readonly preview: () => Config;
  readonly lists: Pick<DomainLists, 'prepare' | 'follow'>;
  /** Puts the last preview, or the current contents of the files, into force, or keeps the old and logs why. */
  readonly reload: (asked: Asked, from: 'preview' | 'files') => Reloaded;
  /** Result of the last reload. */
  readonly reloaded: () => ReloadState;
  readonly log: (line: string) => void;
}

export interface Reloading {
  /** As the files change, from now on, where the configuration says so; and tells what it says in vain. */
  readonly follow: () => void;
  /** At an operator's wish. Nobody's connection waits while much is read. True: what is in the files is in force. */
  readonly refresh: () => Promise<boolean>;
  /** Looks once more in two seconds: at files that may not be whole yet, or for which there was no descriptor. */
  readonly lookAgain: () => void;
  /** Keys that the files in force have changed, and that only a restart brings. */
  readonly waiting: () => readonly string[];
  readonly close: () => void;
}

function watchedOf(config: Config): Watched {
  return { files: configFiles(config), folders: catalogueFolders(config.catalogueFrom) };
}

export function createReloading({ config, preview: look, lists, reload, reloaded, log }: ReloadingOptions): Reloading {
  const started = config();
  let watch: Watch | null = null;
  let toldRestart = '';

  /** What takes its time is read before the swap. What is wrong is left for that to find. */
  const prepare = async (): Promise<void> => {
    await warmCatalogue(config().catalogueFrom);
    let next: Config;
    try {
      next = look();
    } catch (error) {
      if (error instanceof ConfigError) return;
      throw error;
    }
    await lists.prepare(next);
  };

  let later: NodeJS.Timeout | undefined;
  let closed = false;
  const lookAgain = (): void => {
    clearTimeout(later);
    if (!closed) later = startTimer(() => void changed(), SETTLE + ROUNDED).unref();
  };

  const changed = async (): Promise<void> => {
    try {
      await prepare();
      if (reload('by-half-a-change', 'preview') !== 'failed') return;
      await setTimeout(HALF_WRITTEN);
      reload('by-change', 'files');
    } catch (error) {
      log(`internal error: ${describe(error)}`);
    }
  };

  /** After a failure also what the files that are not in force name: the cure may be made there. */
  const watched = (): Watched => {
    const { files, folders } = watchedOf(config());
    const named = reloaded().successful ? { files: [], folders: [] } : filesNamed(config().file);
    return { files: [...new Set([...files, ...named.files])], folders: [...new Set([...folders, ...named.folders])] };
  };

  const tellRestart = (): void => {
    const keys = needsRestart(started, config()).join(', ');
    if (keys !== '' && keys !== toldRestart) log(`${keys}: changed, but needs a restart to take effect`);
    toldRestart = keys;
  };

  const read = async (): Promise<boolean> => {
    try {
      await prepare();
      return reload('by-operator', 'preview') !== 'failed';
    } catch (error) {
      log(`internal error: ${describe(error)}`);
      return false;
    }
  };

  let reading: Promise<unknown> | null = null;
  let after: Promise<boolean> | null = null;
  const refresh = (): Promise<boolean> => {
    if (reading === null) {
      const mine = read();
      reading = Promise.race([mine, setTimeout(STUCK, undefined, { ref: false })]).finally(() => (reading = null));
      return mine;
    }
    // One more is enough for all who ask meanwhile; and clients are served before it.
    after ??= reading
      .then(() => setTimeout(BREATH))
      .then(() => {
        after = null;
        return refresh();
      });
    return after;
  };

  return {
    follow() {
      tellRestart();
      lists.follow(config());
      const wanted = config().reload === 'watch';
      if (wanted && watch === null) watch = watchFiles({ watched, changed, log });
      if (wanted || watch === null) return;
      watch.close();
      watch = null;
    },
    refresh,
    lookAgain,
    waiting: () => needsRestart(started, config()),
    close() {
      closed = true;
      clearTimeout(later);
      watch?.close();
    },
  };
}
