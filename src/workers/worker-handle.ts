/** A worker as seen by the primary process: its messages, and its end. */
import { ConfigError } from '../errors.ts';
import type { MetricsFacts } from '../record/metrics-sum.ts';
import type { ToPrimary, ToWorker } from './messages.ts';

/** A process that was just started. */
export interface Child {
  readonly pid: number;
  readonly send: (message: ToWorker) => void;
  readonly onMessage: (listener: (message: ToPrimary) => void) => void;
  /** `how` is a description, such as `signal SIGKILL`. */
  readonly ended: Promise<{ readonly how: string }>;
  readonly kill: () => void;
}

export type Listening = Extract<ToPrimary, { kind: 'listening' }>;

export interface WorkerHandle {
  readonly pid: number;
  readonly send: (message: ToWorker) => void;
  /** Rejects with the reason why it could not listen. */
  readonly listening: Promise<Listening>;
  readonly ended: Promise<void>;
  /** Resolves with a description of why it accepts nothing new: it has ended, or is about to. */
  readonly left: Promise<string>;
  /** Its current metrics, or the last known ones if it does not answer in time. */
  readonly metrics: () => Promise<MetricsFacts>;
  /** Requests metrics without waiting. @returns the number of previous requests in a row without an answer. */
  readonly ping: () => number;
  /** The metrics of its last answer. */
  readonly lastMetrics: () => MetricsFacts;
  readonly kill: () => void;
}

function faultOf({ text, code }: Extract<ToPrimary, { kind: 'unfit' }>): Error {
  return code === null ? new ConfigError(text) : Object.assign(new Error(text), { code });
}

/** Milliseconds for a worker to send its metrics: less than the timeout of a scrape. */
const METRICS_TIME = 2_000;

/**
 * @param first sent once it receives messages.
 * @param onMessage gets messages that are not about the worker itself.
 */
export function createWorkerHandle(
  child: Child,
  first: () => ToWorker,
  onMessage: (message: ToPrimary) => void,
): WorkerHandle {
  let facts: MetricsFacts = [];
  // Resolved by a single handler on `ended`: one handler per call would accumulate until the worker ends.
  const waiting = new Set<() => void>();
  let over = false;
  let unanswered = 0;
  let leave: (why: string) => void = () => undefined;
  const left = new Promise<string>((resolve) => (leave = resolve));
  const tellWaiting = (): void => {
    for (const resolved of waiting) resolved();
  };
  const listening = new Promise<Listening>((resolve, reject) => {
    child.onMessage((message) => {
      switch (message.kind) {
        case 'ready':
          child.send(first());
          break;
        case 'listening':
          unanswered = 0;
          resolve(message);
          break;
        case 'unfit':
          reject(faultOf(message));
          break;
        case 'metrics':
          facts = message.facts;
          unanswered = 0;
          tellWaiting();
          break;
        case 'leaving':
          leave('an internal defect; it is closing what is open');
          break;
        case 'log':
        case 'lines':
        case 'reports':
          onMessage(message);
      }
    });
    void child.ended.then(({ how }) => {
      reject(new ConfigError(`a worker ended before it could serve (${how})`));
      leave(`${how}; its connections are lost`);
      over = true;
      tellWaiting();
    });
  });
  listening.catch(() => undefined);

  return {
    pid: child.pid,
    send: child.send,
    listening,
    ended: child.ended.then(() => undefined),
    left,
    async metrics() {
      if (over) return facts;
      await new Promise<void>((resolve) => {
        const resolved = (): void => {
          clearTimeout(timer);
          waiting.delete(resolved);
          resolve();
        };
        const timer = setTimeout(resolved, METRICS_TIME);
        waiting.add(resolved);
        child.send({ kind: 'metrics' });
      });
      return facts;
    },
    ping() {
      child.send({ kind: 'metrics' });
      unanswered += 1;
      return unanswered - 1;
    },
    lastMetrics: () => facts,
    kill: child.kill,
  };
}
