/**
 * Where attempts are written down. A sink is one file beside this one; {@link createRecord} is the list of them.
 */
import type { Decided, Finished, Rejected } from '../flow.ts';

/**
 * One place that attempts are recorded in. Every call is synchronous and takes microseconds: what has to wait for a
 * disk or a network is queued inside the sink, within a bound.
 */
export interface Sink {
  /** For messages about the sink itself. */
  readonly name: string;
  /** A decision was taken; the attempt is about to be acted on, which for a tunnel may last hours. */
  decided(decided: Decided): void;
  /** The attempt has ended, well or badly. Called exactly once for each. */
  finished(finished: Finished): void;
  /** Something arrived that never became an attempt: not valid, or no room for it. */
  rejected(rejected: Rejected): void;
  /** Writes out what is queued, and gives up on it rather than never returning. */
  close(): Promise<void>;
}

/** All sinks as one, which never throws. */
export type Record = Omit<Sink, 'name'>;

/**
 * Hands everything to every sink. A sink that throws costs neither the request nor the other sinks anything; `onFault`
 * hears of it each time, so it must be cheap (count, or log with a limit).
 */
export function createRecord(sinks: readonly Sink[], onFault: (sink: string, error: unknown) => void): Record {
  const report = (sink: Sink, error: unknown): void => {
    try {
      onFault(sink.name, error);
    } catch {
      // Whoever listens for faults is no better than the sinks: traffic goes on.
    }
  };
  const each = (call: (sink: Sink) => void): void => {
    for (const sink of sinks) {
      try {
        call(sink);
      } catch (error) {
        report(sink, error);
      }
    }
  };
  return {
    decided: (decided) => each((sink) => sink.decided(decided)),
    finished: (finished) => each((sink) => sink.finished(finished)),
    rejected: (rejected) => each((sink) => sink.rejected(rejected)),
    async close() {
      await Promise.all(
        sinks.map(async (sink) => {
          try {
            await sink.close();
          } catch (error) {
            report(sink, error);
          }
        }),
      );
    },
  };
}
