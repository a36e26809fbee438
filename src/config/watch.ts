/**
 * Reports changes of the files that the configuration is read from.
 *
 * Watches folders rather than files, because editors and deployments replace files: by renaming, or by swapping a
 * symbolic link (Kubernetes swaps `..data`, two links away from the file). So each folder on the way to a file is
 * watched for the one name that matters. Where the system reports nothing (network file systems), all files are also
 * checked periodically.
 */
import { lstatSync, readlinkSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { readdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, parse, resolve, sep } from 'node:path';
import { stampOf } from './stamp.ts';
import { statOf } from './stat-of.ts';

export interface Watched {
  readonly files: readonly string[];
  /** In which every file that ends in `.yaml` counts. */
  readonly folders: readonly string[];
}

export interface WatchOptions {
  /** Called again after each change, as the set of files may have changed. */
  readonly watched: () => Watched;
  /** Called when something may have changed, and not again before its promise has settled. */
  readonly changed: () => Promise<void>;
  readonly log: (line: string) => void;
  /** Milliseconds without a change before it is reported, so that files are complete. */
  readonly quiet?: number;
  /** Milliseconds after which a change is reported even if changes continue. */
  readonly atMost?: number;
  /** Milliseconds between checks of all files; by default depends on the file systems. */
  readonly look?: number;
}

export interface Watch {
  readonly close: () => void;
}

/** Milliseconds between checks of all files, where the system may miss changes, and where it reports all. */
const [OFTEN, SELDOM] = [10_000, 60_000];

/** Magic numbers in statfs(2) of ext4, XFS, Btrfs, tmpfs, F2FS, ZFS and overlayfs, on which all changes are local. */
const local: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0xf2f52010, 0x2fc12fc1, 0x794c7630,
]);

/** As many links as Linux follows. */
const MAX_LINKS = 40;

/** The target of a symbolic link; null if it is none; undefined if it is missing or inaccessible. */
function linkAt(path: string): string | null | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    return undefined;
  }
}

/**
 * What leads to a file: folder and name of itself, of each symbolic link on the way, and of the first missing folder.
 */
export function wayTo(path: string): readonly { readonly folder: string; readonly name: string }[] {
  const way: { folder: string; name: string }[] = [{ folder: dirname(dirname(path)), name: basename(dirname(path)) }];
  let links = 0;
  let missing = false;
  let at = parse(path).root;
  const rest = path.slice(at.length).split(sep);
  while (rest.length > 0) {
    const name = rest.shift() ?? '';
    const next = join(at, name);
    const link = links < MAX_LINKS ? linkAt(next) : null;
    const ends: boolean = link === undefined && !missing;
    missing ||= ends;
    if (typeof link === 'string' || ends || rest.length === 0) way.push({ folder: at, name });
    if (typeof link !== 'string') {
      at = next;
      continue;
    }
    links++;
    const target = resolve(at, link);
    at = parse(target).root;
    rest.unshift(...target.slice(at.length).split(sep).filter(Boolean));
  }
  return way;
}

/** Null: every `.yaml`. */
type Names = Map<string, Set<string> | null>;

function foldersOf({ files, folders }: Watched): Names {
  const names: Names = new Map();
  const add = (path: string): void => {
    for (const { folder, name } of wayTo(path)) {
      if (names.get(folder) === null) continue;
      names.set(folder, (names.get(folder) ?? new Set()).add(name));
    }
  };
  const inFolders = new Set(folders);
  for (const file of files) if (!inFolders.has(dirname(file))) add(file);
  for (const folder of folders) {
    add(folder);
    names.set(folder, null);
  }
  return names;
}

/** Whether Linux reports every change in these folders: not if another machine can make it, or a folder is missing. */
export async function areLocal(folders: readonly string[]): Promise<boolean> {
  try {
    const found = await Promise.all(folders.map((folder) => statfs(folder)));
    return found.every(({ type }) => local.has(type));
  } catch {
    return false;
  }
}

/** The state of a file, or why there is none. */
async function stampOrFault(path: string): Promise<string> {
  try {
    return stampOf(await stat(path, { bigint: true }));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  }
}

/** The state of all files, one after the other, to spare slow file systems. */
async function stampsOf({ files, folders }: Watched): Promise<string> {
  const stamps: string[] = [];
  for (const file of files) stamps.push(await stampOrFault(file));
  for (const folder of folders) stamps.push((await readdir(folder).catch(() => [])).join('/'));
  return stamps.join('\n');
}

/** Watches until it is closed. Reports once at the beginning, for earlier changes. */
export function watchFiles({ watched, changed, log, quiet = 100, atMost = 400, look }: WatchOptions): Watch {
  let names: Names = new Map();
  const watchers = new Map<string, { readonly inode: string; readonly watcher: FSWatcher }>();
  let complained = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let first: number | null = null;
  let busy = false;
  let stamps: string | null = null;

  const drop = (folder: string): void => {
    watchers.get(folder)?.watcher.close();
    watchers.delete(folder);
  };

  const open = (folder: string, inode: string): void => {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        const counted = names.get(folder);
        if (name === null || (counted === null ? name.endsWith('.yaml') : counted?.has(name) === true)) soon();
      });
      watcher.on('error', () => drop(folder));
      watchers.set(folder, { inode, watcher });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      if (!complained)
        log(
          `${folder} cannot be watched (${code}); it is checked for changes every ${(look ?? OFTEN) / 1000} s instead`,
        );
      complained = true;
    }
  };

  /** Watches everything on the way to the files. A folder that was replaced is a different one. */
  const follow = (): void => {
    names = foldersOf(watched());
    for (const folder of watchers.keys()) if (!names.has(folder)) drop(folder);
    for (const folder of names.keys()) {
      const found = statOf(folder);
      const inode = found === undefined ? '' : `${found.dev} ${found.ino}`;
      if (watchers.get(folder)?.inode === inode) continue;
      drop(folder);
      if (inode !== '') open(folder, inode);
    }
  };

  const tell = async (): Promise<void> => {
    busy = true;
    first = null;
    try {
      // Something new, such as a folder, may still be filled while it is read.
      follow();
      await changed();
    } finally {
      busy = false;
      afterwards();
    }
  };

  const afterwards = (): void => {
    if (closed) return;
    follow();
    if (first !== null) soon();
  };

  const soon = (): void => {
    const now = performance.now();
    first ??= now;
    if (busy || closed) return;
    clearTimeout(timer);
    timer = setTimeout(() => void tell(), Math.max(0, Math.min(quiet, first + atMost - now))).unref();
  };

  const lookAround = async (): Promise<void> => {
    const seen = await stampsOf(watched());
    const folders = [...names.keys()];
    const told = watchers.size === folders.length && (await areLocal(folders));
    if (closed) return;
    // The first check reports too, as files may have changed before they were watched.
    if (seen !== stamps) soon();
    stamps = seen;
    // Checking the whole catalogue takes some 50 ms of processor time.
    looking = setTimeout(() => void lookAround(), look ?? (told ? SELDOM : OFTEN)).unref();
  };

  follow();
  let looking: NodeJS.Timeout | undefined;
  void lookAround();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      clearTimeout(looking);
      for (const folder of [...watchers.keys()]) drop(folder);
    },
  };
}
