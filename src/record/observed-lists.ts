/** Metrics of the external domain lists, read at each scrape. The label is the list's id in the policy. */
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** One list. Times are epoch milliseconds, null if there was none yet; counts are since the process started. */
export interface ObservedList {
  readonly id: string;
  readonly domains: number;
  readonly badLines: number;
  readonly lastSuccessAt: number | null;
  /** False: the last read or fetch failed, so an older copy, or none, is in force. */
  readonly successful: boolean;
  /** Number of fetches by result; empty for a list that is a file. */
  readonly fetches: Readonly<Record<string, number>>;
}

export function registerLists(registry: Registry, lists: () => readonly ObservedList[]): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: (list: ObservedList) => number | null): void => {
    new Gauge({
      name,
      help,
      labelNames: ['list'],
      registers,
      collect() {
        this.reset();
        for (const list of lists()) {
          const now = value(list);
          if (now !== null) this.set({ list: list.id }, now);
        }
      },
    });
  };
  gauge('sallyport_list_domains', 'Domains of an external list currently in force.', ({ domains }) => domains);
  gauge('sallyport_list_bad_lines', 'Lines of an external list that are not domains.', ({ badLines }) => badLines);
  gauge(
    'sallyport_list_last_success_timestamp_seconds',
    'When an external list was last read or found unchanged.',
    ({ lastSuccessAt }) => (lastSuccessAt === null ? null : lastSuccessAt / 1000),
  );
  gauge(
    'sallyport_list_last_load_successful',
    '1 if the last read or fetch of an external list succeeded; 0 if an older copy, or none, is in force.',
    ({ successful }) => (successful ? 1 : 0),
  );
  new Counter({
    name: 'sallyport_list_fetches_total',
    help: 'Fetches of external lists, by result.',
    labelNames: ['list', 'result'],
    registers,
    collect() {
      this.reset();
      for (const { id, fetches } of lists()) {
        for (const [result, count] of Object.entries(fetches)) this.inc({ list: id, result }, count);
      }
    },
  });
}
