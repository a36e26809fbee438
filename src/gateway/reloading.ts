/** Decides when the configuration is read again: when its files change, and on request. */
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

/** Milliseconds to wait for somebody who is still writing a file. */
const HALF_WRITTEN = 250;

/** Milliseconds by which a timer may fire early. */
const ROUNDED = 10;

/** Milliseconds between two reloads on request. */
const BREATH = 250;
/** Milliseconds after which the next reload starts anyway: a hung file system must not end all reloading. */
const STUCK = 30_000;

/** Whether a reload failed for lack of descriptors, which depends on connections and not on a change of a file. */
export function outOfFiles(problem: string | null): boolean {
  return problem !== null && /\bE[MN]FILE\b/.test(problem);
}

export interface ReloadingOptions {
  /** The configuration in force. */
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
  /** From now on reloads when files change, if the configuration says so, and logs changes that need a restart. */
  readonly follow: () => void;
  /** Reloads on request, without blocking connections. True if the contents of the files are in force. */
  readonly refresh: () => Promise<boolean>;
  /** Tries again in two seconds: for files that may not be complete yet, or when there was no descriptor. */
  readonly lookAgain: () => void;
  /** Changed keys that take effect only after a restart. */
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

  /** Slow parts are read before the swap. Errors are left for the reload to find. */
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

  /** After a failure this includes files that only the new configuration names: the fix may be made there. */
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
    // One more reload suffices for everybody who asks meanwhile; clients are served first.
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
