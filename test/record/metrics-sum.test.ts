/** Several processes, one set of metrics: sums, what one says for all, and what remains of those that are gone. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createMetrics, type Metrics } from '../../src/record/metrics.ts';
import { sumOf, renderSum, withoutGauges, withoutZeros } from '../../src/record/metrics-sum.ts';
import { seriesValue } from '../support/lab.ts';
import { quietObserved } from './quiet-observed.ts';

const accepted = (count: number) => () => ({ accepted: count, unknown_ca: 0, bad_certificate: 0, reset: 0, silent: 0 });

function metricsOf(policyHash: string, tunnels: number, heard: number): Metrics {
  return createMetrics({
    build: { version: '1', nodeVersion: 'v24.0.0' },
    expected: { blocked: [], wouldDeny: [] },
    observed: {
      ...quietObserved,
      policyHash: () => policyHash,
      tunnelsOpen: () => tunnels,
      leafCertificatesMinted: () => tunnels,
      clientTrust: accepted(heard),
    },
  });
}

const rejected = { id: 'a', at: 0, clientAddress: '192.0.2.1', clientPort: 1, detail: '' } as const;

test('each has its share, and one speaks for all', async () => {
  const [primary, a, b] = [metricsOf('new', 0, 5), metricsOf('new', 2, 3), metricsOf('old', 3, 4)];
  for (const one of [a, b, b]) one.rejected({ ...rejected, code: 'client_limit' });
  const text = await renderSum(await primary.facts(), [await a.facts(), await b.facts()]);
  expect(seriesValue(text, 'sallyport_tunnels_open', [])).toBe(5);
  expect(seriesValue(text, 'sallyport_leaf_certificates_minted_total', [])).toBe(5);
  expect(seriesValue(text, 'sallyport_errors_total', ['code="client_limit"'])).toBe(3);
  expect(seriesValue(text, 'sallyport_client_trust_total', ['result="accepted"'])).toBe(5);
  expect(seriesValue(text, 'sallyport_build_info', [])).toBe(1);
  expect(seriesValue(text, 'sallyport_config_last_reload_successful', [])).toBe(1);
  expect(text.match(/^sallyport_policy_info.*/gm)).toEqual(['sallyport_policy_info{hash="new"} 1']);
  expect(seriesValue(text, 'process_start_time_seconds', [])).toBeLessThan(Date.now() / 1000);
  expect(seriesValue(text, 'process_start_time_seconds', [])).toBeGreaterThan(Date.now() / 1000 - 3600);
});

test('counters at 0 need not be passed on: the sum is the same', async () => {
  const [primary, other] = [metricsOf('x', 0, 0), metricsOf('x', 2, 3)];
  other.rejected({ ...rejected, code: 'client_limit' });
  const [own, facts] = [await primary.facts(), await other.facts()];
  const text = await renderSum(own, [facts]);
  const few = withoutZeros(facts);
  const series = (of: typeof facts): number => of.reduce((sum, { values }) => sum + values.length, 0);
  expect(series(few)).toBeLessThan(series(facts));
  expect(await renderSum(own, [few])).toBe(text);
});

test('what was counted by one that is gone is still counted, and what it held open is not', async () => {
  const [primary, gone, other] = [metricsOf('x', 0, 0), metricsOf('x', 2, 0), metricsOf('x', 1, 0)];
  gone.rejected({ ...rejected, code: 'client_limit' });
  const former = await sumOf([withoutGauges(await gone.facts()), withoutGauges(await gone.facts())]);
  const text = await renderSum(await primary.facts(), [former, await other.facts()]);
  expect(seriesValue(text, 'sallyport_errors_total', ['code="client_limit"'])).toBe(2);
  expect(seriesValue(text, 'sallyport_tunnels_open', [])).toBe(1);
});

test('names, types and labels are those of one process', async () => {
  const [one, other] = [metricsOf('x', 0, 0), metricsOf('x', 0, 0)];
  const heads = (text: string): string[] => text.match(/^# TYPE .*/gm)?.toSorted() ?? [];
  expect(heads(await renderSum(await one.facts(), [await other.facts()]))).toEqual(heads(await one.render()));
});

test.skipIf(spawnSync('promtool', ['--version']).error !== undefined)('promtool finds nothing wrong', async () => {
  const [one, other] = [metricsOf('x', 1, 0), metricsOf('x', 2, 0)];
  const input = await renderSum(await one.facts(), [await other.facts()]);
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  expect({ status, told: stdout + stderr }).toEqual({ status: 0, told: '' });
});
