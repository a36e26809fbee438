/** The metrics of several processes as those of one. */
import { AggregatorRegistry, type Registry } from 'prom-client';

/** The metrics of one process, as data that can be passed on. */
export type MetricsFacts = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

type Facts = MetricsFacts[number];

/** Gauges of ours that each process has its share of. All others say the same in each: one speaks for all. */
const shares: ReadonlySet<string> = new Set(['sallyport_tunnels_open', 'sallyport_connections_open']);

/** Not summed: the first process is notified by all others, and counts for them too. */
const countedTwice = 'sallyport_client_trust_total';

/** prom-client leaves it out of sums; alerts on restarts want it, and the first process is the one that stays. */
const startTime = 'process_start_time_seconds';

// The types of prom-client say that this is a number; it is the word that stands in the text.
const isGauge = ({ type }: Facts): boolean => String(type) === 'gauge';

function hasShare(metric: Facts): boolean {
  const { name } = metric;
  if (name === countedTwice || name === startTime) return false;
  return !name.startsWith('sallyport_') || !isGauge(metric) || shares.has(name);
}

const summed = (parts: readonly MetricsFacts[]): Registry => AggregatorRegistry.aggregate([...parts]);

/** In the Prometheus text format. @param first speaks where one speaks for all. */
export function renderSum(first: MetricsFacts, others: readonly MetricsFacts[]): Promise<string> {
  const own = first.map((metric) => (metric.name === startTime ? { ...metric, aggregator: 'first' as const } : metric));
  return summed([own, ...others.map((facts) => facts.filter(hasShare))]).metrics();
}

/** What stays true when its process is gone: what only ever grows. */
export function withoutGauges(facts: MetricsFacts): MetricsFacts {
  return facts.filter((metric) => hasShare(metric) && !isGauge(metric));
}

/** The sum of results of {@link withoutGauges}, in the same form. */
export function sumOf(parts: readonly MetricsFacts[]): Promise<MetricsFacts> {
  return summed(parts).getMetricsAsJSON();
}
