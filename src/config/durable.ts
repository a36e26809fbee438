/** Replaces files atomically: at any time there is either the old one or the new one. */
import { randomBytes } from 'node:crypto';
import { open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { basename, dirname, join } from 'node:path';

const temporary = /^\.[0-9a-f]{12}\.tmp$/;

/** A unique name next to the file, which {@link removeLeftovers} recognises. */
export function temporaryFor(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}.tmp`;
}

/** Makes the new name survive a power failure. */
async function syncDirectory(dir: string): Promise<void> {
  // Windows cannot open a directory, and has its own journal.
  if (platform() === 'win32') return;
  const handle = await open(dir, 'r');
  await handle.sync().finally(() => handle.close());
}

/** Attributes to keep: the proxy may run under another account than the command line. */
interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

async function writeWhole(file: string, text: string, like: Ownership): Promise<void> {
  const handle = await open(file, 'wx', like.mode);
  try {
    // Only root can change the owner, and only root needs to.
    await handle.chown(like.uid, like.gid).catch(() => undefined);
    await handle.chmod(like.mode);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The real file, if the name is a symbolic link. */
async function behindLinks(file: string): Promise<string> {
  return realpath(file).catch(() => file);
}

/**
 * Replaces the file by `text`; when this resolves, it survives a power failure. One writer at a time.
 *
 * @param mayStill called last; if it returns false, nothing changes.
 * @throws the system's error.
 */
export async function replaceFile(file: string, text: string, mayStill: () => Promise<boolean>): Promise<boolean> {
  const real = await behindLinks(file);
  const written = temporaryFor(real);
  const there = await stat(real).catch(() => null);
  // A new file belongs to the owner of its folder.
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

/** Removes temporary files that killed writers left. Only for the holder of the lock. */
export async function removeLeftovers(file: string): Promise<void> {
  const real = await behindLinks(file);
  const [dir, name] = [dirname(real), basename(real)];
  const left = (await readdir(dir)).filter(
    (entry) => entry.startsWith(name) && temporary.test(entry.slice(name.length)),
  );
  await Promise.all(left.map((entry) => rm(join(dir, entry), { force: true })));
}
