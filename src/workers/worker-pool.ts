/** Runs in the primary process: keeps the configured number of workers alive, and presents them as one proxy. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import type { Login } from '../identify/password-attempts.ts';
import type { WorkerPool, WorkerPoolEvents, WorkerPoolStart } from '../gateway/worker-pool.ts';
import { sumOf, renderSum, withoutGauges, type MetricsFacts } from '../record/metrics-sum.ts';
import type { TrustNote } from '../record/trust.ts';
import { createWorkerHandle, type Child, type WorkerHandle, type Listening } from './worker-handle.ts';
import { toText, type ToPrimary, type ToWorker } from './messages.ts';
import { shareOf } from './share.ts';
import { createDeduplicator } from './deduplicate.ts';

export interface WorkerPoolOptions {
  /** Number of workers. */
  readonly size: number;
  readonly spawn: () => Child;
  /** Whether each can have a listening socket of its own. */
  readonly reusePort: boolean;
}

/** Milliseconds after which the end of a worker no longer counts as a failed start. */
const STARTED_WELL = 30_000;
const MAX_WAIT = 30_000;
/** Milliseconds for a worker to end when told to. */
const END_TIME = 5_000;
/** Milliseconds between requests for metrics, and thus the maximum age of a crashed worker's counts. */
const PING_EVERY = 5_000;
/** Unanswered requests after which a worker counts as hung. */
const MISSED_PINGS = 6;
/** Number of clients' reactions to our leaves that are kept for replacement workers. */
const NOTES = 2_000;
/** Number of logins that are kept for replacement workers. */
const LOGINS = 10_000;
const FORMER = 16;

/** Milliseconds until the next start after `failures` failed ones in a row. */
function backOff(failures: number): number {
  return failures <= 1 ? 0 : Math.min(MAX_WAIT, 250 * 2 ** Math.min(failures - 2, 10));
}

export function createWorkerPool({ size, spawn, reusePort }: WorkerPoolOptions, events: WorkerPoolEvents): WorkerPool {
  const workers = new Set<WorkerHandle>();
  const serving = new Set<WorkerHandle>();
  const log = createDeduplicator(events.log, Date.now);
  let given: WorkerPoolStart | null = null;
  /**
   * The first worker's bound ports, which the system may have chosen. With sockets of their own, the others must
   * request these ports; a shared socket is found by the port that the first one requested.
   */
  let bound: Listening | null = null;
  let notes: TrustNote[] = [];
  let logins: Login[] = [];
  /** The counts of workers that have ended. */
  let former: readonly MetricsFacts[] = [];
  let replaced = 0;
  let ending = false;
  const isEnding = (): boolean => ending;
  let watchdog: NodeJS.Timeout | undefined;

  const configFor = (config: Config): Config => shareOf(config, size, reusePort ? (bound?.tlsPort ?? null) : null);

  const startMessage = (): ToWorker => {
    if (given === null || ending) return { kind: 'end' };
    const { config, shared, addresses, lists } = given;
    const proxy = reusePort ? (bound?.proxy ?? addresses.proxy) : addresses.proxy;
    return {
      kind: 'start',
      config: configFor(config),
      shared: toText(shared),
      addresses: { ...addresses, proxy },
      reusePort,
      notes,
      logins,
      lists: lists(),
    };
  };

  const toAll = (message: ToWorker, but?: WorkerHandle): void => {
    for (const worker of workers) if (worker !== but) worker.send(message);
  };

  const onMessage = (worker: WorkerHandle, message: ToPrimary): void => {
    if (message.kind === 'log') log(message.line);
    else if (message.kind === 'lines') events.lines(message.text);
    else if (message.kind === 'reports') {
      message.blocked.forEach(events.blocked);
      for (const { clientAddress, result, at } of message.notes) events.trust.note(clientAddress, result, at);
      notes = [...notes, ...message.notes].slice(-NOTES);
      if (message.logins.length > 0) logins = [...logins, ...message.logins].slice(-LOGINS);
      if (message.notes.length + message.logins.length > 0)
        toAll({ kind: 'notes', notes: message.notes, logins: message.logins }, worker);
    }
  };

  const remember = async (facts: MetricsFacts): Promise<void> => {
    former = [...former, withoutGauges(facts)];
    if (former.length <= FORMER) return;
    const merged = former;
    const one = await sumOf(merged);
    if (former[0] === merged[0]) former = [one, ...former.slice(merged.length)];
  };

  /** Kills hung workers. Counts requests rather than time, so that a suspended machine causes no false alarm. */
  const lookAtAll = (): void => {
    for (const worker of workers) {
      if (worker.ping() < MISSED_PINGS || !serving.has(worker)) continue;
      log(`worker ${worker.pid} has not responded for ${(MISSED_PINGS * PING_EVERY) / 1000} s; killing it`);
      worker.kill();
    }
  };

  /** Starts a worker, and resolves when it listens. */
  const launch = async (): Promise<WorkerHandle> => {
    const worker: WorkerHandle = createWorkerHandle(spawn(), startMessage, (message) => onMessage(worker, message));
    workers.add(worker);
    void worker.left.then(() => serving.delete(worker));
    void worker.ended.then(() => {
      workers.delete(worker);
      return remember(worker.lastMetrics());
    });
    const listening = await worker.listening;
    bound ??= listening;
    serving.add(worker);
    return worker;
  };

  /** Replaces a worker each time it ends. */
  const keep = async (first: WorkerHandle): Promise<void> => {
    let failures = 0;
    let since = performance.now();
    for (let worker: WorkerHandle | null = first; !isEnding(); worker = null) {
      try {
        worker ??= await launch();
        const why = await worker.left;
        if (!isEnding()) log(`worker ${worker.pid} is gone (${why}); another is taking its place`);
      } catch (error) {
        if (!isEnding())
          log(`a worker could not be started: ${error instanceof Error ? error.message : String(error)}`);
      }
      if (isEnding()) return;
      replaced += 1;
      failures = performance.now() - since > STARTED_WELL ? 1 : failures + 1;
      await sleep(backOff(failures), undefined, { ref: false });
      since = performance.now();
    }
  };

  /** Resolves when all have ended; those that take longer are killed. */
  const allEnded = async (time: number): Promise<void> => {
    const late = setTimeout(() => {
      for (const worker of workers) worker.kill();
    }, time);
    await Promise.all(Array.from(workers, ({ ended }) => ended));
    clearTimeout(late);
    clearInterval(watchdog);
  };

  const tell = (kind: 'follow' | 'adopt', config: Config): void => {
    if (given === null) return;
    const { vendors, ...rest } = configFor(config);
    const known = vendors === given.config.vendors;
    given = { ...given, config };
    toAll({ kind, config: known ? rest : { ...rest, vendors } });
  };

  return {
    async listen(start) {
      given = start;
      const { proxy } = start.addresses;
      // If the system chooses a port, the first worker gets it, and the others follow.
      const chosen = proxy.port === 0 || start.config.proxyTls?.address.port === 0;
      const first = chosen ? [await launch()] : [];
      const others = await Promise.all(Array.from({ length: size - first.length }, launch));
      watchdog = setInterval(lookAtAll, PING_EVERY).unref();
      for (const worker of [...first, ...others]) void keep(worker);
      return bound?.proxy ?? proxy;
    },
    follow: (config) => tell('follow', config),
    adopt: (config) => tell('adopt', config),
    async metrics() {
      const [own] = await Promise.all([events.metrics.facts(), ...Array.from(serving, (worker) => worker.metrics())]);
      return renderSum(own, [...former, ...Array.from(workers, (worker) => worker.lastMetrics())]);
    },
    counts: () => ({ running: serving.size, replaced }),
    async drain() {
      ending = true;
      toAll({ kind: 'drain' });
      await allEnded((given?.config.limits.drainTimeout ?? 0) + END_TIME);
    },
    async close() {
      ending = true;
      toAll({ kind: 'end' });
      await allEnded(END_TIME);
    },
  };
}
