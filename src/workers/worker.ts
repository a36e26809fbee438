/** A process that serves clients. It gets its configuration from the primary process, and reports to it. */
import { randomInt } from 'node:crypto';
import { Writable } from 'node:stream';
import { describe } from '../errors.ts';
import { createDomainLists, type DomainLists } from '../gateway/domain-lists.ts';
import { pagesUrlOf, type Addresses } from '../gateway/listening.ts';
import { createServing, type Serving } from '../gateway/serving.ts';
import { withoutZeros } from '../record/metrics-sum.ts';
import { fromText, type FollowedConfig, type Start, type ToPrimary, type ToWorker } from './messages.ts';
import { createReportBatch, type ReportBatch } from './report-batch.ts';
import { createReceived, type Received } from './received.ts';

/** The channel to the primary process. */
export interface Channel {
  /** `done` is called when the message has been sent. */
  readonly send: (message: ToPrimary, done?: (error?: Error | null) => void) => void;
  readonly onMessage: (listener: (message: ToWorker) => void) => void;
}

export interface WorkerOptions {
  readonly channel: Channel;
  readonly build: { readonly version: string; readonly nodeVersion: string };
}

export interface Worker {
  /** Resolves when the worker has ended. True: it was told to; false: it could not serve, or had an internal error. */
  readonly ended: Promise<boolean>;
  /** Counts and logs an uncaught exception, and ends the worker. */
  readonly uncaught: (error: unknown) => void;
}

interface Running {
  readonly serving: Serving;
  readonly received: Received;
  readonly reports: ReportBatch;
}

const none = { active: 0, nextEnd: null };

/** Sends access log lines to the process that writes them. */
function linesTo({ send }: Channel): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => send({ kind: 'lines', text: chunk.toString() }, done),
  });
}

function build(
  start: Start,
  { channel, build }: WorkerOptions,
  lists: DomainLists,
  bound: () => Addresses['proxy'] | null,
): Running {
  const { config, shared, addresses, notes, logins } = start;
  const reports = createReportBatch(channel.send);
  const refusesLeaf = (address: string): boolean => serving.recording.trust.refuses(address, Date.now());
  const received = createReceived(config, refusesLeaf, lists.sets);
  const serving: Serving = createServing({
    inForce: received,
    shared: fromText(shared),
    build,
    stdout: linesTo(channel),
    log: (line) => channel.send({ kind: 'log', line }),
    now: Date.now,
    addresses: () => ({ ...addresses, proxy: bound() ?? addresses.proxy }),
    pagesUrl: (now) => pagesUrlOf(now, addresses.pages),
    // The primary process reports these.
    observed: {
      domainLists: () => [],
      exceptions: () => ({ exceptions: none, pauses: none, readable: true }),
      catalogueFetches: () => ({ adopted: 0, unchanged: 0, refused: 0, failed: 0, lastSuccessAt: null }),
      workers: () => ({ running: 0, replaced: 0 }),
    },
    elsewhere: reports.blocked,
    trusted: reports.note,
    loggedIn: reports.loggedIn,
  });
  for (const { clientAddress, result, at } of notes) serving.recording.trust.note(clientAddress, result, at);
  logins.forEach(serving.know);
  return { serving, received, reports };
}

export function createWorker(options: WorkerOptions): Worker {
  const { channel } = options;
  // The primary process logs problems with lists, and tells workers when to read one again.
  const quiet = (): void => undefined;
  const lists = createDomainLists({ changed: quiet, log: quiet, fetches: false, seed: randomInt(2 ** 32) });
  let running: Running | null = null;
  let leaving = false;
  let finish: (good: boolean) => void = () => undefined;
  const ended = new Promise<boolean>((resolve) => (finish = resolve));

  const tellMetrics = async (): Promise<void> => {
    if (running === null) return;
    channel.send({ kind: 'metrics', facts: withoutZeros(await running.serving.recording.metrics.facts()) });
  };

  let over = false;
  const end = async (good: boolean): Promise<void> => {
    if (over) return;
    over = true;
    if (running !== null) {
      const { serving, reports } = running;
      serving.end();
      await serving.close();
      reports.flush();
      await tellMetrics();
    }
    finish(good);
  };

  const drain = async (good: boolean): Promise<void> => {
    if (leaving) return;
    leaving = true;
    await running?.serving.drain();
    await end(good);
  };

  const unfit = (error: unknown): void => {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    channel.send({ kind: 'unfit', text: error instanceof Error ? error.message : describe(error), code: code ?? null });
    void end(false);
  };

  const start = async (message: Start): Promise<void> => {
    let proxy: Addresses['proxy'] | null = null;
    try {
      await lists.prepare(message.config);
      // A file may have been emptied, or may be gone, while the others still hold what was in it.
      lists.demand(message.config, message.lists);
      running = build(message, options, lists, () => proxy);
      proxy = await running.serving.listen(message.addresses.proxy, message.reusePort);
      channel.send({ kind: 'listening', proxy, tlsPort: running.serving.tlsPort() });
    } catch (error) {
      unfit(error);
    }
  };

  const follow = async (config: FollowedConfig): Promise<void> => {
    await lists.prepare(config);
    if (running === null) return;
    const { serving, received } = running;
    try {
      lists.follow(config);
      serving.follow(received.take(config));
    } catch (error) {
      // The policy is in force, but a file that it refers to has vanished since the primary process read it.
      channel.send({ kind: 'log', line: `reload failed in a worker: ${describe(error)}` });
      serving.judgeAgain();
    }
  };

  const adopt = (config: FollowedConfig): void => {
    running?.received.take(config);
    // Closes idle connections of denied clients, which then reconnect. Otherwise a new exception would have no effect
    // until they end.
    running?.serving.judgeAgain();
  };

  const uncaught = (error: unknown): void => {
    running?.serving.recording.metrics.uncaughtException();
    channel.send({ kind: 'log', line: `uncaught exception in a worker: ${describe(error)}; it drains, then ends` });
    channel.send({ kind: 'leaving' });
    void drain(false);
  };

  // Applies configurations in order, since reading a list may take time. A failure does not prevent the next one: a
  // draining worker still serves, and must enforce new denials.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (act: () => unknown): void => {
    last = last.then(act).catch(uncaught);
  };

  channel.onMessage((message) => {
    switch (message.kind) {
      case 'start':
        inTurn(() => start(message));
        break;
      case 'follow':
        inTurn(() => follow(message.config));
        break;
      case 'adopt':
        inTurn(() => adopt(message.config));
        break;
      case 'notes':
        for (const note of message.notes) {
          running?.serving.recording.trust.note(note.clientAddress, note.result, note.at);
        }
        for (const login of message.logins) running?.serving.know(login);
        break;
      case 'metrics':
        void tellMetrics();
        break;
      case 'drain':
        void drain(true);
        break;
      case 'end':
        void end(true);
    }
  });
  channel.send({ kind: 'ready' });

  return { ended, uncaught };
}
