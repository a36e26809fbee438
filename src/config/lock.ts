/**
 * A lock between processes that requires only a shared folder: Lamport's bakery algorithm.
 *
 * A process creates a file of its own next to the locked file, reads the numbers of the others and writes the next one
 * into it; the lowest number goes first. An empty file is about to get its number, so others wait for it. Names are
 * never reused, so removing what a dead process left can never remove a live one's.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { open, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { kill, pid } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../errors.ts';

/** Milliseconds; `look` is multiplied by the number of processes ahead. */
const limits = { wait: 30_000, look: 10, heartbeat: 2_000, silent: 20_000 };

export interface Held {
  /** Whether the lock is still held: a machine that slept may have been considered dead. */
  readonly still: () => Promise<boolean>;
}

interface Self {
  /** Scope in which process ids are unique: a machine, or a container on it. */
  readonly machine: string;
  /** `PID.STARTED`, as process ids are reused; 0 if the start time is unknown. */
  readonly process: string;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

/** Start time of a process from proc(5), whose second field may contain anything, even parentheses; null if unknown. */
function startOf(pid: number | 'self'): string | null {
  const text = textOf(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function findSelf(): Self {
  const facts = [hostname(), textOf('/proc/sys/kernel/random/boot_id') ?? '', namespace()];
  const machine = createHash('sha256').update(facts.join('\n')).digest('hex').slice(0, 12);
  return { machine, process: `${pid}.${startOf('self') ?? 0}` };
}

/** Whether the process has ended. One of another account may be hidden in /proc, and still respond to a signal. */
function isGone(process: string): boolean {
  const [number = '', started = ''] = process.split('.', 2);
  try {
    kill(Number(number), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const now = startOf(Number(number));
  return now !== null && started !== '0' && now !== started;
}

interface Rival {
  readonly name: string;
  /** Null: not written yet. */
  readonly number: number | null;
}

const form = /^([0-9a-f]{12})-(\d+\.\d+)-[0-9a-f]{16}$/;

/** The files of one lock. */
function createQueue(file: string, self: Self) {
  const dir = dirname(file);
  const prefix = `${basename(file)}.lock-`;
  const own = `${prefix}${self.machine}-${self.process}-${randomBytes(8).toString('hex')}`;
  const path = (name: string): string => join(dir, name);

  /** A process on this machine either exists or not; elsewhere, or if suspended, it is detected by its silence. */
  const isDead = async (name: string): Promise<boolean> => {
    const [, machine, process] = form.exec(name.slice(prefix.length)) ?? [];
    if (machine === self.machine && process !== undefined && isGone(process)) return true;
    // By the clock of the file system, which several machines may share.
    const [theirs, ours] = await Promise.all([stat(path(name)), stat(path(own))]).catch(() => [null, null]);
    return theirs !== null && ours !== null && ours.mtimeMs - theirs.mtimeMs > limits.silent;
  };

  const rivals = async (): Promise<Rival[]> => {
    const names = (await readdir(dir)).filter((name) => name.startsWith(prefix) && name !== own);
    const found = names.map(async (name): Promise<Rival | null> => {
      if (await isDead(name)) {
        await rm(path(name), { force: true });
        return null;
      }
      try {
        const text = await readFile(path(name), 'latin1');
        return { name, number: text === '' ? null : Number(text) };
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : { name, number: null };
      }
    });
    return (await Promise.all(found)).filter((rival) => rival !== null);
  };

  return { own, path: path(own), rivals };
}

type Queue = ReturnType<typeof createQueue>;

async function takeNumber({ path, rivals }: Queue): Promise<number> {
  const handle = await open(path, 'wx', 0o644);
  try {
    // The command line may run under another account than the proxy, with another umask.
    await handle.chmod(0o644);
    const number = Math.max(0, ...(await rivals()).map((rival) => rival.number ?? 0)) + 1;
    await handle.write(String(number));
    return number;
  } finally {
    await handle.close();
  }
}

async function waitForTurn(file: string, queue: Queue, number: number): Promise<void> {
  const until = performance.now() + limits.wait;
  const goesFirst = (rival: Rival): boolean =>
    rival.number === null || rival.number < number || (rival.number === number && rival.name < queue.own);
  for (;;) {
    const before = (await queue.rivals()).filter(goesFirst);
    const [first] = before;
    if (first === undefined) return;
    if (performance.now() > until) {
      const [, , process = ''] = form.exec(first.name.slice(first.name.lastIndexOf('.lock-') + 6)) ?? [];
      const who = `process ${process.split('.', 1)[0] ?? 'unknown'}`;
      throw new ConfigError(
        `${file}: ${who} has been writing to it for ${limits.wait / 1000} s; check that process, then try again`,
      );
    }
    // Each check reads all files, so those far behind check rarely.
    await sleep(limits.look * before.length * (0.5 + Math.random()));
  }
}

/**
 * Runs `work` while holding the lock, against all processes that see the same folder.
 *
 * @throws {ConfigError} if the folder cannot be written, or another process does not release the lock.
 */
export async function withLock<T>(file: string, work: (held: Held) => Promise<T>): Promise<T> {
  const queue = createQueue(file, findSelf());
  // Where processes cannot be queried, the file's time shows that this one is alive.
  const heartbeat = setInterval(() => {
    const now = new Date();
    void utimes(queue.path, now, now).catch(() => undefined);
  }, limits.heartbeat).unref();
  try {
    const number = await takeNumber(queue);
    await waitForTurn(file, queue, number);
    return await work({
      still: () =>
        stat(queue.path).then(
          () => true,
          () => false,
        ),
    });
  } finally {
    clearInterval(heartbeat);
    await rm(queue.path, { force: true });
  }
}
