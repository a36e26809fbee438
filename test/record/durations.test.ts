import { Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { Arrival } from '../../src/flow.ts';
import { registerDurations } from '../../src/record/durations.ts';

const kinds: readonly Arrival['kind'][] = ['tunnel', 'request', 'upgrade'];

/** What prom-client makes of the same values by itself. */
function reference(registry: Registry): (kind: Arrival['kind'], duration: number) => void {
  const histogram = new Histogram({
    name: 'sallyport_request_duration_seconds',
    help: 'Time from the arrival of an attempt to its end; for a tunnel, how long it was open.',
    labelNames: ['kind'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600],
    registers: [registry],
  });
  for (const kind of kinds) histogram.zero({ kind });
  return (kind, duration) => histogram.observe({ kind }, duration / 1000);
}

test('text and facts are those of a histogram of prom-client, at every scrape', async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const [count, observe] = [registerDurations(ours), reference(theirs)];
  const onBounds = [0, 5, 10, 24.999, 25, 999.9999, 1000, 2500, 3_600_000, 3_600_000.1, 1e9];
  for (const duration of [...onBounds, ...Array.from({ length: 500 }, () => Math.exp(Math.random() * 18 - 2))]) {
    const kind = kinds[Math.floor(Math.random() * 2)] ?? 'tunnel';
    count(kind, duration);
    observe(kind, duration);
  }
  for (let scrape = 0; scrape < 2; scrape += 1) {
    expect(await ours.metrics()).toBe(await theirs.metrics());
    expect(await ours.getMetricsAsJSON()).toEqual(await theirs.getMetricsAsJSON());
    count('upgrade', 1);
    observe('upgrade', 1);
  }
});
