/** Builds everything that records attempts and clients: the sinks, and what they know. */
import type { Config } from '../config/schema.ts';
import { describe } from '../errors.ts';
import { createAccessLog, type AccessLog } from '../record/access-log.ts';
import { createBlockEvents, eventText, type BlockEvents } from '../record/block-events.ts';
import { fileDestination, noDestination, streamDestination } from '../record/destinations.ts';
import { expectedSeries } from '../record/expected.ts';
import { createLineWriter, type Fault, type LineWriter } from '../record/line-writer.ts';
import { createMetrics, type Metrics, type MetricsOptions } from '../record/metrics.ts';
import { blockedOf, isBlocked, type Blocked } from '../record/blocks.ts';
import { createRecent, type Recent } from '../record/recent.ts';
import { createRecord, type Record, type Sink } from '../record/sink.ts';
import { createTrust, type Trust } from '../record/trust.ts';
import { createWebhook } from '../record/webhook.ts';

/** Facts that come from here rather than from other parts. */
type OwnFacts = 'accessLogLinesLost' | 'clientTrust' | 'blockEvents' | 'blockEventsLost';

export interface RecordingOptions {
  /** The configuration at the start: paths and windows do not change until a restart. */
  readonly config: Pick<Config, 'accessLog' | 'blockEvents' | 'trust' | 'vendors'>;
  readonly build: MetricsOptions['build'];
  /** Where logs with the path `-` go. */
  readonly stdout: NodeJS.WritableStream;
  readonly log: (line: string) => void;
  /** Called with each block if another process keeps and publishes them; null if this one does. */
  readonly elsewhere: ((blocked: Blocked) => void) | null;
  /** Facts from other parts. */
  readonly observed: Omit<MetricsOptions['observed'], OwnFacts>;
}

export interface Recording {
  readonly record: Record;
  readonly metrics: Metrics;
  readonly recent: Recent;
  readonly trust: Trust;
  readonly events: BlockEvents;
  /** Keeps and publishes a block of another process. */
  readonly blocked: (block: Blocked) => void;
  /** Writes access log lines of another process, each with its newline. */
  readonly lines: (text: string) => void;
  /** Reopens the files, for log rotation. */
  readonly reopen: () => void;
  /** Endpoints of the admin port below `/api/`. */
  readonly lists: Readonly<globalThis.Record<'trust' | 'block-events', () => object>>;
}

/** What the fault of a log file means for its lines. */
const meaning = {
  write: 'lines are lost until it can be written again',
  reopen: 'lines still go to the file that was open; opening the new one is tried again every second while lines come',
} as const satisfies globalThis.Record<Fault, string>;

function eventLog({ config, stdout, log }: RecordingOptions): LineWriter {
  const { path } = config.blockEvents;
  const lost = (error: Error, fault: Fault): void => log(`block events: ${error.message}; ${meaning[fault]}`);
  if (path === '-') return createLineWriter(streamDestination(stdout), lost);
  return createLineWriter(path === 'none' ? noDestination() : fileDestination(path, 'block events'), lost);
}

function accessLogOf({ config, stdout, log }: RecordingOptions): AccessLog {
  const onFault = (error: Error, fault: Fault): void => log(`access log: ${error.message}; ${meaning[fault]}`);
  return createAccessLog({ ...config.accessLog, stdout, onFault });
}

function passOn(onBlocked: (blocked: Blocked) => void): Sink {
  return {
    name: 'blocks',
    decided: () => undefined,
    finished(finished) {
      if (isBlocked(finished)) onBlocked(blockedOf(finished));
    },
    rejected: () => undefined,
    close: () => Promise.resolve(),
  };
}

/** @throws {ConfigError} if a log file cannot be opened. */
export function createRecording(options: RecordingOptions): Recording {
  const { config, build, log } = options;
  const accessLog = accessLogOf(options);
  const lines = eventLog(options);
  const { webhook: url, window } = config.blockEvents;
  const onFault = (error: Error): void => log(`webhook: ${error.message}; events are not delivered until it answers`);
  const webhook = url === null ? null : createWebhook({ url, onFault });
  const trust = createTrust(config.trust);
  const events = createBlockEvents({
    window,
    now: Date.now,
    publish(event) {
      const text = eventText(event);
      lines.write(`${text}\n`);
      webhook?.send(text);
    },
  });
  const metrics = createMetrics({
    build,
    expected: expectedSeries(config.vendors),
    observed: {
      ...options.observed,
      accessLogLinesLost: () => accessLog.lost,
      clientTrust: trust.counts,
      blockEvents: events.counts,
      blockEventsLost: () => ({ log: lines.lost, webhook: webhook?.lost() ?? 0 }),
    },
  });
  const recent = createRecent();
  const memory = options.elsewhere === null ? [recent, events] : [passOn(options.elsewhere)];
  const record = createRecord([accessLog, metrics, ...memory], (sink, error) => log(`${sink}: ${describe(error)}`));
  return {
    record: {
      ...record,
      close: async () => {
        await Promise.all([record.close(), lines.close(), webhook?.close()]);
      },
    },
    metrics,
    recent,
    trust,
    events,
    blocked(block) {
      recent.finished(block);
      events.finished(block);
    },
    lines: (text) => accessLog.append(text),
    reopen() {
      accessLog.reopen();
      lines.reopen();
    },
    lists: {
      trust: () => ({
        results: trust.counts(),
        networks: trust.networks(Date.now()).map(({ lastSeen, fallbackUntil, ...facts }) => ({
          ...facts,
          lastSeen: new Date(lastSeen).toISOString(),
          fallbackUntil: fallbackUntil === null ? null : new Date(fallbackUntil).toISOString(),
        })),
      }),
      'block-events': () => ({
        events: events.open().map(({ at, lastAt, ...facts }) => ({
          ...facts,
          at: new Date(at).toISOString(),
          lastAt: new Date(lastAt).toISOString(),
        })),
      }),
    },
  };
}
