/** Files that are there whole, the old one or the new one, whatever happens while they are written. */
import { randomBytes } from 'node:crypto';
import { open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { basename, dirname, join } from 'node:path';

const temporary = /^\.[0-9a-f]{12}\.tmp$/;

/** A name beside the file that nobody has; {@link removeLeftovers} knows it again. */
export function temporaryFor(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}.tmp`;
}

/** Makes the new name survive a power cut. */
async function syncDirectory(dir: string): Promise<void> {
  // Windows cannot open a directory, and keeps its own journal.
  if (platform() === 'win32') return;
  const handle = await open(dir, 'r');
  await handle.sync().finally(() => handle.close());
}

/** What a file that is replaced has to keep: the proxy may run under another account than the command line. */
interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

async function writeWhole(file: string, text: string, like: Ownership): Promise<void> {
  const handle = await open(file, 'wx', like.mode);
  try {
    // Only root may give a file away, and only root has to.
    await handle.chown(like.uid, like.gid).catch(() => undefined);
    await handle.chmod(like.mode);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file itself, where the name is that of a link to it. */
async function behindLinks(file: string): Promise<string> {
  return realpath(file).catch(() => file);
}

/**
 * Puts `text` in the place of the file; once this resolves, it is there after a power cut too. One writer at a time.
 *
 * @param mayStill asked last; false leaves everything as it is.
 * @throws in the words of the system.
 */
export async function replaceFile(file: string, text: string, mayStill: () => Promise<boolean>): Promise<boolean> {
  const real = await behindLinks(file);
  const written = temporaryFor(real);
  const there = await stat(real).catch(() => null);
  // A new file belongs to whom its folder belongs to.
  const { uid, gid } = there ?? (await stat(dirname(real)));
  const mode = there === null ? 0o644 : there.mode & 0o777;
  try {
    await writeWhole(written, text, { mode, uid, gid });
    if (!(await mayStill())) return false;
    await rename(written, real);
  } finally {
    await rm(written, { force: true });
  }
  await syncDirectory(dirname(real));
  return true;
}

/** Takes away what killed writers left beside the file. Only for who alone may write. */
export async function removeLeftovers(file: string): Promise<void> {
  const real = await behindLinks(file);
  const [dir, name] = [dirname(real), basename(real)];
  const left = (await readdir(dir)).filter(
    (entry) => entry.startsWith(name) && temporary.test(entry.slice(name.length)),
  );
  await Promise.all(left.map((entry) => rm(join(dir, entry), { force: true })));
}
