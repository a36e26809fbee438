/**
 * Creates files that several processes may try to create at once. The first one wins, the others find a complete file,
 * and a process that is killed halfway leaves nothing under the final name.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { hasPermissionBits, systemCode } from './key-files.ts';

/** Milliseconds after which a temporary file is considered abandoned. */
const abandoned = 600_000;

const temporarySuffix = /\.[0-9a-f]{12}\.tmp$/;

/** Syncs `dir`, so that a new link in it survives a power failure. */
async function syncDirectory(dir: string): Promise<void> {
  // Windows cannot open a directory, and has its own journal.
  if (!hasPermissionBits) return;
  const handle = await open(dir, 'r');
  await handle.sync().finally(() => handle.close());
}

/**
 * Creates missing folders, accessible only to the owner. Does not use `recursive`, with which `mkdir` never returns if
 * a system reports ENOENT within an existing folder, as Linux does in /proc.
 */
async function makeFolder(dir: string): Promise<void> {
  const isThere = await stat(dir).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const above = dirname(dir);
  if (above !== dir) await makeFolder(above);
  try {
    await mkdir(dir, { mode: 0o700 });
  } catch (error) {
    // Another process created it, or it is not a folder, for which a later operation has a clearer error.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    // The umask may have reduced the mode at creation.
    await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function linkFirst(temporary: string, file: string): Promise<void> {
  try {
    // Unlike rename, link does not replace a file that another process created meanwhile.
    await link(temporary, file);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/**
 * Writes `text` to `file` unless the file exists.
 *
 * @throws {ConfigError} if the folder cannot be written.
 */
export async function publish(file: string, text: string, mode: number): Promise<void> {
  const dir = dirname(file);
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await makeFolder(dir);
    try {
      await writeWhole(temporary, text, mode);
      await linkFirst(temporary, file);
    } finally {
      await rm(temporary, { force: true });
    }
    await syncDirectory(dir);
  } catch (error) {
    const cure = 'give the account that the proxy runs as write access to its folder';
    throw new ConfigError(`${file}: it cannot be written (${systemCode(error)}): ${cure}`);
  }
}

/** Removes temporary files that killed processes left when creating `files`. `now`: epoch milliseconds. */
export async function removeAbandoned(files: readonly string[], now: number): Promise<void> {
  const names = new Set(files.map((file) => basename(file)));
  for (const dir of new Set(files.map((file) => dirname(file)))) {
    const entries = await readdir(dir).catch(() => []);
    const temporaries = entries.filter((entry) => names.has(entry.replace(temporarySuffix, '')) && !names.has(entry));
    for (const entry of temporaries) {
      const path = join(dir, entry);
      const found = await stat(path).catch(() => null);
      // A failure must not prevent the start: the folder may be read-only now.
      if (found !== null && now - found.mtimeMs > abandoned) await rm(path, { force: true }).catch(() => undefined);
    }
  }
}
