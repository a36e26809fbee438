/**
 * The durations of attempts as a Prometheus histogram. Counts are plain numbers, because prom-client looks up the
 * series by its labels for every value.
 */
import { Gauge, Histogram, type Registry } from 'prom-client';
import type { Arrival } from '../flow.ts';

type Kind = Arrival['kind'];

/** Seconds: from a local plain-HTTP request to a tunnel that is open for an hour. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

interface Counts {
  /** Attempts that took at most as long as each bound. */
  readonly upTo: number[];
  sum: number;
  count: number;
}

const none = (): Counts => ({ upTo: bounds.map(() => 0), sum: 0, count: 0 });

/** @returns a function that counts an attempt of `duration` milliseconds. */
export function registerDurations(registry: Registry): (kind: Kind, duration: number) => void {
  const counts: Readonly<Record<Kind, Counts>> = { tunnel: none(), request: none(), upgrade: none() };
  const name = 'sallyport_request_duration_seconds';
  const help = 'Time from the arrival of an attempt to its end; for a tunnel, how long it was open.';
  const empty = new Histogram({ name, help, labelNames: ['kind'], buckets: bounds, registers: [] });
  for (const kind of Object.keys(counts)) empty.zero({ kind });

  const numberOf = (part: string | undefined, { kind, le }: { readonly kind?: unknown; readonly le?: unknown }) => {
    const of = counts[kind as Kind];
    if (part === `${name}_sum`) return of.sum;
    return of.upTo[bounds.indexOf(Number(le))] ?? of.count;
  };

  // Not a Histogram, which prom-client renders through a private method; other metrics are rendered through `get`.
  class Durations extends Gauge {
    override async get(): ReturnType<Histogram<'kind'>['get']> {
      const facts = await empty.get();
      for (const row of facts.values) row.value = numberOf(row.metricName, row.labels);
      return facts;
    }
  }
  new Durations({ name, help, registers: [registry] });

  return (kind, duration) => {
    const seconds = duration / 1000;
    const of = counts[kind];
    of.sum += seconds;
    of.count += 1;
    for (let at = bounds.length - 1; at >= 0 && seconds <= (bounds[at] ?? 0); at -= 1) {
      of.upTo[at] = (of.upTo[at] ?? 0) + 1;
    }
  };
}
