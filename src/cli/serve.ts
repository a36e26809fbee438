/** `sallyport serve`: runs the proxy until a signal ends it. */
import { counted } from '../config/counted.ts';
import { tryConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import type { WorkerPoolEvents } from '../gateway/worker-pool.ts';
import { canReusePort } from '../workers/share.ts';
import { createWorkerPool } from '../workers/worker-pool.ts';
import { isWorker, spawnWorker } from '../workers/processes.ts';
import { obeySignals } from './early-signals.ts';
import { tuneForServing } from './serving-v8.ts';
import { openFiles, workersOf } from './open-files.ts';
import { version } from './version.ts';
import { welcome } from './welcome.ts';
import { work } from './worker.ts';
import { configFile, configOption, parse, UsageError, type ExitCode, type Io, type Verb } from './verb.ts';

/** Warns if the system allows fewer open files than the configured connections need. */
function tellOpenFiles(config: Config, io: Io): void {
  const files = openFiles(config);
  if (files === null || files.most >= files.wanted) return;
  const { most, wanted, connections } = files;
  const each = `${counted(connections, 'connection')}${workersOf(config) === 1 ? '' : ' of one worker'}`;
  io.err(
    `sallyport: the open-file limit is ${most}, but ${each} (limits.connections) need ${wanted}; raise LimitNOFILE (ulimit -n) or lower limits.connections`,
  );
}

/** Milliseconds to write the rest of standard output and error at the end. */
const LAST_WORDS = 1_000;

/** A reader that does not read must not keep a finished process alive. */
function leaveInTime(code: ExitCode): ExitCode {
  setTimeout(() => process.exit(code), LAST_WORDS).unref();
  return code;
}

/** Ends on a signal: TERM and INT drain first, and a second one stops at once. */
function untilStopped(gateway: Gateway, io: Io): Promise<ExitCode> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: string): void => {
      if (stopping) {
        io.err(`sallyport: ${signal} again, stopping now`);
        void gateway.close().then(() => resolve(0));
        return;
      }
      stopping = true;
      io.err(`sallyport: ${signal}, draining for up to ${gateway.config().limits.drainTimeout / 1000} s`);
      void gateway
        .drain()
        .then(() => gateway.close())
        .then(() => resolve(0));
    };
    process.on('SIGTERM', () => stop('SIGTERM'));
    process.on('SIGINT', () => stop('SIGINT'));
    const onDefect = (error: unknown): void => {
      gateway.uncaught(error);
      if (stopping) return;
      stopping = true;
      void gateway
        .drain()
        .then(() => gateway.close())
        .then(() => resolve(1));
    };
    process.on('uncaughtException', onDefect);
    process.on('unhandledRejection', onDefect);
  });
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parse({ args: [...args], options: configOption, allowPositionals: true });
  if (positionals[0] !== undefined) throw new UsageError(`serve takes no argument, but got "${positionals[0]}"`);
  const file = configFile(values.config, io);
  const build = { version: version(), nodeVersion: process.version };
  if (isWorker()) return work(build);
  process.on('SIGUSR2', () => io.err('sallyport: USR2 does nothing here; HUP reloads, TERM stops'));
  const size = workersOf(tryConfig(file));
  const reusePort = canReusePort(process.version, process.platform);
  const gateway = await createGateway({
    load: (candidate) => tryConfig(file, candidate),
    ...build,
    ...(size > 1 && {
      workerPool: (events: WorkerPoolEvents) => createWorkerPool({ size, spawn: spawnWorker, reusePort }, events),
    }),
    stdout: process.stdout,
    log: (line) => io.err(`sallyport: ${line}`),
  });
  tuneForServing();
  const addresses = await gateway.listen();
  tellOpenFiles(gateway.config(), io);
  io.out(welcome(gateway, addresses, io));
  obeySignals(() => void gateway.refresh());
  return leaveInTime(await untilStopped(gateway, io));
}

export const serve: Verb = {
  summary: 'Runs the proxy, the pages for people and the admin port',
  usage: 'serve [-c FILE]',
  run,
};
