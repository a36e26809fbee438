/** A worker as the primary process sees it: one process, what it says, and its end. */
import { ConfigError } from '../errors.ts';
import type { MetricsFacts } from '../record/metrics-sum.ts';
import type { ToPrimary, ToWorker } from './messages.ts';

/** A process that has just been started. */
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
  /** Rejects with what kept it from it. */
  readonly listening: Promise<Listening>;
  readonly ended: Promise<void>;
  /** Resolves, for people, with why it takes nothing new: it ended, or is about to. */
  readonly left: Promise<string>;
  /** Its metrics now, or those of the last time where it does not say in time. */
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

/** Milliseconds that a worker may take to tell its metrics: below the timeout of a scrape. */
const METRICS_TIME = 2_000;

/**
 * @param first what it is resolved once it can onMessage.
 * @param onMessage gets what is not about the worker itself.
 */
export function createWorkerHandle(
  child: Child,
  first: () => ToWorker,
  onMessage: (message: ToPrimary) => void,
): WorkerHandle {
  let facts: MetricsFacts = [];
  // Told of the end by one reaction to it, not by one each: a promise keeps its reactions until it settles.
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
