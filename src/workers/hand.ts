/** A worker as the primary process sees it: one process, what it says, and its end. */
import { ConfigError } from '../errors.ts';
import type { MetricsFacts } from '../record/metrics-sum.ts';
import type { ToPrimary, ToWorker } from './messages.ts';

/** A process that has just been started. */
export interface Child {
  readonly pid: number;
  readonly send: (message: ToWorker) => void;
  readonly hear: (listener: (message: ToPrimary) => void) => void;
  /** `how`: for people, as in `signal SIGKILL`. */
  readonly ended: Promise<{ readonly how: string }>;
  readonly kill: () => void;
}

export type Listening = Extract<ToPrimary, { kind: 'listening' }>;

export interface Hand {
  readonly pid: number;
  readonly send: (message: ToWorker) => void;
  /** Rejects with what kept it from it. */
  readonly listening: Promise<Listening>;
  readonly ended: Promise<void>;
  /** Resolves, for people, with why it takes nothing new: it ended, or is about to. */
  readonly left: Promise<string>;
  /** Its metrics now, or those of the last time where it does not say in time. */
  readonly metrics: () => Promise<MetricsFacts>;
  /** Asks for metrics without waiting for them, and says how often in a row that had no answer before. */
  readonly look: () => number;
  /** Those of the last time. */
  readonly lastMetrics: () => MetricsFacts;
  readonly kill: () => void;
}

function faultOf({ text, code }: Extract<ToPrimary, { kind: 'unfit' }>): Error {
  return code === null ? new ConfigError(text) : Object.assign(new Error(text), { code });
}

/** Milliseconds that a worker may take to tell its metrics: below the timeout of a scrape. */
const METRICS_TIME = 2_000;

/**
 * @param first what it is told once it can hear.
 * @param hear gets what is not about the worker itself.
 */
export function createHand(child: Child, first: () => ToWorker, hear: (message: ToPrimary) => void): Hand {
  let facts: MetricsFacts = [];
  // Told of the end by one reaction to it, not by one each: a promise keeps its reactions until it settles.
  const waiting = new Set<() => void>();
  let over = false;
  let unanswered = 0;
  let leave: (why: string) => void = () => undefined;
  const left = new Promise<string>((resolve) => (leave = resolve));
  const tellWaiting = (): void => {
    for (const told of waiting) told();
  };
  const listening = new Promise<Listening>((resolve, reject) => {
    child.hear((message) => {
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
        case 'news':
          hear(message);
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
        const told = (): void => {
          clearTimeout(timer);
          waiting.delete(told);
          resolve();
        };
        const timer = setTimeout(told, METRICS_TIME);
        waiting.add(told);
        child.send({ kind: 'metrics' });
      });
      return facts;
    },
    look() {
      child.send({ kind: 'metrics' });
      unanswered += 1;
      return unanswered - 1;
    },
    lastMetrics: () => facts,
    kill: child.kill,
  };
}
