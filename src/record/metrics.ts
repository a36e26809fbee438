/**
 * Prometheus metrics.
 *
 * Labels come from the configuration and this program's own tables, never from a request, so clients cannot add series.
 * Per-connection counts are kept in plain numbers and copied to prom-client at each scrape.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { errors } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Arrival, Effect, Finished, Outcome } from '../flow.ts';
import { isBlocked, serviceOf } from './blocks.ts';
import { registerDurations } from './durations.ts';
import { expositionOf } from './exposition.ts';
import type { MetricsFacts } from './metrics-sum.ts';
import { registerObserved } from './observed.ts';
import type { Observed } from './observed.ts';
import type { Sink } from './sink.ts';

/** The labels of `sallyport_blocked_total`. `none` stands for a service that is not in the catalogue. */
export interface BlockedSeries {
  readonly vendor: string;
  readonly product: string;
  readonly channel: string;
  readonly rule: string;
  readonly answer: string;
}

/** Series that exist with value 0 from the start, so that `rate()` and alerts notice the first block. */
export interface ExpectedSeries {
  readonly blocked: readonly BlockedSeries[];
  readonly wouldDeny: readonly Omit<BlockedSeries, 'answer'>[];
}

export interface MetricsOptions {
  readonly build: { readonly version: string; readonly nodeVersion: string };
  readonly expected: ExpectedSeries;
  /** Values held by other parts, read at each scrape. */
  readonly observed: Observed;
}

export interface Metrics extends Sink {
  /** All metrics in the Prometheus text format. */
  render(): Promise<string>;
  readonly contentType: string;
  /** The same as data, for the process that aggregates them. */
  facts(): Promise<MetricsFacts>;
  /** Adds series with value 0 after a policy was loaded. Existing series keep their counts. */
  expect(series: ExpectedSeries): void;
  /** Counts an exception that no connection's handler caught. */
  uncaughtException(): void;
}

const serviceLabels = ['vendor', 'product', 'channel'] as const;

/** Gauges that prom-client names like counters, which `promtool check metrics` rejects. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const wouldDeny = new Counter({
    name: 'sallyport_would_deny_total',
    help: 'Attempts that a rule in monitor mode let through but would have blocked.',
    labelNames: [...serviceLabels, 'rule'],
    registers,
  });
  const failed = new Counter({
    name: 'sallyport_errors_total',
    help: 'Attempts that failed or were turned away, by error code and by who has to act.',
    labelNames: ['code', 'fault'],
    registers,
  });
  const countDuration = registerDurations(registry);
  const uncaught = new Counter({
    name: 'sallyport_uncaught_exceptions_total',
    help: 'Uncaught exceptions. Each is a defect of the proxy.',
    registers,
  });
  const build = new Gauge({
    name: 'sallyport_build_info',
    help: 'Always 1; the labels say what is running.',
    labelNames: ['version', 'node_version'],
    registers,
  });
  build.set({ version: options.build.version, node_version: options.build.nodeVersion }, 1);
  const countRequest = registerRequests(registry);
  const countBytes = registerBytes(registry);
  const { count: countBlock, blocked } = registerBlocks(registry);
  registerObserved(registry, options.observed);
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  const countError = (code: ErrorCode, count = 1): void => failed.inc({ code, fault: errors[code].fault }, count);
  for (const code of Object.keys(errors) as ErrorCode[]) countError(code, 0);

  const expect = (series: ExpectedSeries): void => {
    for (const labels of series.blocked) blocked.inc({ ...labels }, 0);
    for (const labels of series.wouldDeny) wouldDeny.inc({ ...labels }, 0);
  };
  expect(options.expected);

  return {
    name: 'metrics',
    decided: () => undefined,
    finished(finished) {
      const { arrival, decision, outcome } = finished;
      countRequest(arrival.kind, decision.effect, outcome.kind);
      countBytes(outcome);
      countDuration(arrival.kind, finished.duration);
      if (outcome.error !== null) countError(outcome.error);
      if (decision.effect === 'monitor') wouldDeny.inc({ ...labelsOf(finished), rule: decision.rule });
      if (isBlocked(finished)) countBlock(labelsOf(finished), decision.rule, outcome.answer ?? 'none');
    },
    rejected: ({ code }) => countError(code),
    render: async () => expositionOf(await registry.getMetricsAsJSON()),
    facts: () => registry.getMetricsAsJSON(),
    contentType: registry.contentType,
    expect,
    uncaughtException: () => uncaught.inc(),
    close: () => Promise.resolve(),
  };
}

function labelsOf(finished: Finished): Omit<BlockedSeries, 'rule' | 'answer'> {
  const service = serviceOf(finished);
  return {
    vendor: service?.vendor ?? 'none',
    product: service?.product ?? 'none',
    channel: service?.channel ?? 'none',
  };
}

/** Counts are kept here, because prom-client's lookup of a series by five labels costs more than an entire decision. */
function registerBlocks(registry: Registry): {
  readonly blocked: Counter;
  readonly count: (of: Omit<BlockedSeries, 'rule' | 'answer'>, rule: string, answer: string) => void;
} {
  interface Count {
    readonly series: BlockedSeries;
    since: number;
  }
  const counts: Count[] = [];
  /** By rule, then product; a combined key of all labels would require building a string for each block. */
  const known = new Map<string, Map<string, Count[]>>();
  const blocked = new Counter({
    name: 'sallyport_blocked_total',
    help: 'Attempts that the policy blocked, each counted once, when it ended.',
    labelNames: [...serviceLabels, 'rule', 'answer'],
    registers: [registry],
    collect() {
      for (const one of counts) {
        this.inc({ ...one.series }, one.since);
        one.since = 0;
      }
    },
  });
  const add = (series: BlockedSeries): void => {
    const one = { series, since: 1 };
    counts.push(one);
    const ofRule = known.get(series.rule) ?? new Map<string, Count[]>();
    known.set(series.rule, ofRule.set(series.product, [...(ofRule.get(series.product) ?? []), one]));
  };
  return {
    blocked,
    count(of, rule, answer) {
      const one = known
        .get(rule)
        ?.get(of.product)
        ?.find(
          ({ series }) => series.answer === answer && series.vendor === of.vendor && series.channel === of.channel,
        );
      if (one === undefined) add({ ...of, rule, answer });
      else one.since += 1;
    },
  };
}

function registerRequests(
  registry: Registry,
): (kind: Arrival['kind'], effect: Effect, outcome: Outcome['kind']) => void {
  const outcomes = () => ({ passed: 0, blocked: 0, failed: 0 }) satisfies Record<Outcome['kind'], number>;
  const effects = () => ({ allow: outcomes(), deny: outcomes(), monitor: outcomes() }) satisfies Record<Effect, object>;
  const counts = { tunnel: effects(), request: effects(), upgrade: effects() } satisfies Record<
    Arrival['kind'],
    object
  >;
  new Counter({
    name: 'sallyport_requests_total',
    help: 'Finished attempts, by kind, policy decision and outcome.',
    labelNames: ['kind', 'effect', 'outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [kind, byEffect] of Object.entries(counts)) {
        for (const [effect, byOutcome] of Object.entries(byEffect)) {
          for (const [outcome, count] of Object.entries(byOutcome)) this.inc({ kind, effect, outcome }, count);
        }
      }
    },
  });
  return (kind, effect, outcome) => {
    counts[kind][effect][outcome] += 1;
  };
}

function registerBytes(registry: Registry): (outcome: Outcome) => void {
  const bytes = { in: 0, out: 0 };
  new Counter({
    name: 'sallyport_bytes_total',
    help: 'Bytes from clients (in) and to clients (out), counted when the attempt ended.',
    labelNames: ['direction'],
    registers: [registry],
    collect() {
      this.reset();
      this.inc({ direction: 'in' }, bytes.in);
      this.inc({ direction: 'out' }, bytes.out);
    },
  });
  return (outcome) => {
    bytes.in += outcome.bytesIn;
    bytes.out += outcome.bytesOut;
  };
}
