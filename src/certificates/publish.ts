/**
 * Files that several processes may want to make at the same moment. The first one wins, the others find its file
 * whole, and whoever is killed half-way leaves nothing under the real name.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { hasPermissionBits, systemCode } from './key-files.ts';

/** A temporary file this old, in milliseconds, belongs to nobody any more. */
const abandoned = 600_000;

const temporarySuffix = /\.[0-9a-f]{12}\.tmp$/;

/** Makes a link that was just put into `dir` survive a power cut. */
async function syncDirectory(dir: string): Promise<void> {
  // Windows cannot open a directory, and keeps its own journal.
  if (!hasPermissionBits) return;
  const handle = await open(dir, 'r');
  await handle.sync().finally(() => handle.close());
}

/**
 * Makes a folder and those above it that are missing, each for its owner alone. By hand, for `recursive` of Node.js never
 * ends where a system has a folder and still says of what is made in it that there is none (ENOENT), as Linux in /proc.
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
    // Another process was first; or it is no folder, which the file in it says better.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    // The umask took its part of the mode at creation.
    await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function linkFirst(temporary: string, file: string): Promise<void> {
  try {
    // Unlike rename, link refuses to replace what another process has put there meanwhile.
    await link(temporary, file);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/**
 * Writes `text` to `file` unless there is such a file already, which then stays as it is.
 *
 * @throws {ConfigError} where the folder cannot be written.
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

/** Removes what killed processes left of the making of `files`. `now`: epoch milliseconds. */
export async function removeAbandoned(files: readonly string[], now: number): Promise<void> {
  const names = new Set(files.map((file) => basename(file)));
  for (const dir of new Set(files.map((file) => dirname(file)))) {
    const entries = await readdir(dir).catch(() => []);
    const temporaries = entries.filter((entry) => names.has(entry.replace(temporarySuffix, '')) && !names.has(entry));
    for (const entry of temporaries) {
      const path = join(dir, entry);
      const found = await stat(path).catch(() => null);
      // Untidy, but no reason not to start: the folder may be read-only by now.
      if (found !== null && now - found.mtimeMs > abandoned) await rm(path, { force: true }).catch(() => undefined);
    }
  }
}
