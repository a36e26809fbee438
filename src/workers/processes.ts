/** Workers as processes, through `node:cluster`. */
import cluster from 'node:cluster';
import { ConfigError } from '../errors.ts';
import type { Child } from './worker-handle.ts';
import type { ToPrimary, ToWorker } from './messages.ts';
import type { Channel } from './worker.ts';

const noop = (): void => undefined;

/** Starts the running program, with its arguments, as a worker. */
export function spawnWorker(): Child {
  // The kernel distributes connections. With SCHED_RR, each would cost a message from the primary process.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ serialization: 'advanced' });
  const worker = cluster.fork();
  worker.on('error', noop);
  return {
    pid: worker.process.pid ?? 0,
    send(message) {
      if (worker.isConnected()) worker.send(message, noop);
    },
    onMessage: (listener) => void worker.on('message', (message: ToPrimary) => listener(message)),
    ended: new Promise((resolve) => {
      worker.once('exit', (code: number | null, signal: string | null) =>
        resolve({ how: signal === null ? `exit code ${code ?? 0}` : `signal ${signal}` }),
      );
    }),
    kill: () => void worker.process.kill('SIGKILL'),
  };
}

/** Whether this process was started as a worker. */
export const isWorker = (): boolean => cluster.isWorker;

/** A worker's channel to the primary process. */
export function primaryChannel(): Channel & { readonly close: () => void } {
  const { worker } = cluster;
  if (worker === undefined) throw new ConfigError('this process is not a worker: start it with "sallyport serve"');
  return {
    send(message, done = noop) {
      if (worker.isConnected()) worker.send(message, done);
      else done(new Error('the primary process is gone'));
    },
    onMessage: (listener) => void worker.on('message', (message: ToWorker) => listener(message)),
    close: () => worker.disconnect(),
  };
}
