/** Threads that check passwords, and a queue before them that cannot grow without end. */
import { Worker } from 'node:worker_threads';

export interface PasswordPool {
  /** Whether a password is the one of a hash; null where too many are waiting, or no thread can be had. */
  readonly verify: (password: string, hash: string) => Promise<boolean | null>;
  readonly close: () => Promise<void>;
}

export interface PasswordPoolOptions {
  readonly threads: number;
  /** Checks that may wait; more are turned away. */
  readonly queue: number;
  /** Hears of each that was. */
  readonly refused: () => void;
}

interface Job {
  readonly password: string;
  readonly hash: string;
  readonly done: (good: boolean | null) => void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | null;
}

export function createPasswordPool({ threads, queue, refused }: PasswordPoolOptions): PasswordPool {
  const waiting: Job[] = [];
  const pool = new Set<Thread>();

  const give = (thread: Thread): void => {
    thread.job = waiting.shift() ?? null;
    if (thread.job === null) {
      // An idle thread keeps no process alive.
      thread.worker.unref();
      return;
    }
    const { password, hash } = thread.job;
    thread.worker.ref();
    thread.worker.postMessage({ password, hash });
  };

  const start = (): Thread => {
    const worker = new Worker(new URL('./password-worker.mjs', import.meta.url));
    const thread: Thread = { worker, job: null };
    const gone = (): void => {
      if (!pool.delete(thread)) return;
      thread.job?.done(null);
      thread.job = null;
      // Those behind it get another; one that cannot be started takes nobody down with it.
      if (waiting.length > 0) give(start());
    };
    worker.on('message', (good: boolean) => {
      thread.job?.done(good);
      give(thread);
    });
    worker.on('error', gone).on('exit', gone);
    pool.add(thread);
    return thread;
  };

  return {
    verify(password, hash) {
      if (waiting.length >= queue) {
        refused();
        return Promise.resolve(null);
      }
      return new Promise((resolve) => {
        waiting.push({ password, hash, done: resolve });
        const idle = [...pool].find(({ job }) => job === null);
        if (idle !== undefined) give(idle);
        else if (pool.size < threads) give(start());
      });
    },
    async close() {
      const all = [...pool];
      pool.clear();
      for (const job of waiting.splice(0)) job.done(null);
      for (const { job } of all) job?.done(null);
      await Promise.all(all.map(({ worker }) => worker.terminate()));
    },
  };
}
