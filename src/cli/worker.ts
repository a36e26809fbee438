/** `sallyport serve` in a worker process. */
import { primaryChannel } from '../workers/processes.ts';
import { createWorker } from '../workers/worker.ts';
import { tuneForServing } from './serving-v8.ts';
import type { ExitCode } from './verb.ts';

/** Serves until the primary process ends it; signals to the process group are handled by the primary process. */
export async function work(build: { readonly version: string; readonly nodeVersion: string }): Promise<ExitCode> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)
    process.on(signal, () => undefined);
  tuneForServing();
  const channel = primaryChannel();
  const worker = createWorker({ channel, build });
  process.on('uncaughtException', worker.uncaught);
  process.on('unhandledRejection', worker.uncaught);
  const good = await worker.ended;
  channel.close();
  return good ? 0 : 1;
}
