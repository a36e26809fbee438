/** Sinks, which record attempts. Each has its own file; {@link createRecord} combines them. */
import type { Decided, Finished, Rejected } from '../flow.ts';

/**
 * A place where attempts are recorded. Every call is synchronous and takes microseconds: work that waits for a disk or
 * a network is queued in the sink, up to a limit.
 */
export interface Sink {
  /** Used in messages about the sink itself. */
  readonly name: string;
  /** Called after a decision and before its action, which for a tunnel may last hours. */
  decided(decided: Decided): void;
  /** Called exactly once per attempt, when it has ended, successfully or not. */
  finished(finished: Finished): void;
  /** Called for what never became an attempt because it was invalid or over a limit. */
  rejected(rejected: Rejected): void;
  /** Writes what is queued, but gives up after a time limit. */
  close(): Promise<void>;
}

/** All sinks as one, which never throws. */
export type Record = Omit<Sink, 'name'>;

/**
 * Passes everything to every sink. A sink that throws affects neither the request nor the other sinks; `onFault` is
 * called each time, so it must be cheap (count, or log with a limit).
 */
export function createRecord(sinks: readonly Sink[], onFault: (sink: string, error: unknown) => void): Record {
  const report = (sink: Sink, error: unknown): void => {
    try {
      onFault(sink.name, error);
    } catch {
      // A throwing `onFault` must not affect traffic either.
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
