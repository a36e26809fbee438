/** Threads that verify passwords, with a bounded queue. */
import { Worker } from 'node:worker_threads';

export interface PasswordPool {
  /** Whether a password matches a hash; null if the queue is full or no thread can be started. */
  readonly verify: (password: string, hash: string) => Promise<boolean | null>;
  readonly close: () => Promise<void>;
}

export interface PasswordPoolOptions {
  readonly threads: number;
  /** Checks that may wait; more are refused. */
  readonly queue: number;
  /** Called for each check that is refused. */
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
      // An idle thread does not keep the process alive.
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
      // Waiting checks get a new thread; if none can be started, that fails nobody else.
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
