/** Aggregates the metrics of several processes. */
import { AggregatorRegistry, type Registry } from 'prom-client';
import { expositionOf } from './exposition.ts';

/** The metrics of one process, as serializable data. */
export type MetricsFacts = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

type Facts = MetricsFacts[number];

/** Our gauges that must be summed. All others have the same value in every process and are taken from the first. */
const shares: ReadonlySet<string> = new Set(['sallyport_tunnels_open', 'sallyport_connections_open']);

/** Not summed: the first process is notified by all others, and counts for them too. */
const countedTwice = 'sallyport_client_trust_total';

/** prom-client omits it from sums, but alerts on restarts need it; that of the first process, which stays, is used. */
const startTime = 'process_start_time_seconds';

// In prom-client's types this is a number; the actual value is the word from the text format.
const isGauge = ({ type }: Facts): boolean => String(type) === 'gauge';

function hasShare(metric: Facts): boolean {
  const { name } = metric;
  if (name === countedTwice || name === startTime) return false;
  return !name.startsWith('sallyport_') || !isGauge(metric) || shares.has(name);
}

const summed = (parts: readonly MetricsFacts[]): Registry => AggregatorRegistry.aggregate([...parts]);

/** In the Prometheus text format. @param first the process whose value is used for metrics that are not summed. */
export async function renderSum(first: MetricsFacts, others: readonly MetricsFacts[]): Promise<string> {
  const own = first.map((metric) => (metric.name === startTime ? { ...metric, aggregator: 'first' as const } : metric));
  const sum = summed([own, ...others.map((facts) => facts.filter(hasShare))]);
  return expositionOf(await sum.getMetricsAsJSON());
}

/**
 * Without counters that are still 0: they add nothing to a sum. There is one for each product of the catalogue, and the
 * first process has them too.
 */
export function withoutZeros(facts: MetricsFacts): MetricsFacts {
  return facts.map((metric) =>
    String(metric.type) === 'counter'
      ? { ...metric, values: metric.values.filter(({ value }) => value !== 0) }
      : metric,
  );
}

/** The metrics that stay valid after their process has exited: counters and histograms. */
export function withoutGauges(facts: MetricsFacts): MetricsFacts {
  return facts.filter((metric) => hasShare(metric) && !isGauge(metric));
}

/** The sum of results of {@link withoutGauges}, in the same form. */
export function sumOf(parts: readonly MetricsFacts[]): Promise<MetricsFacts> {
  return summed(parts).getMetricsAsJSON();
}
