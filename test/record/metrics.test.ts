import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { errors } from '../../src/errors.ts';
import { createMetrics } from '../../src/record/metrics.ts';
import type { ExpectedSeries } from '../../src/record/metrics.ts';
import { allowed, attempt, block, denial, denied, monitored, rejected } from './attempts.ts';
import { quietObserved } from './quiet-observed.ts';

const nothing: ExpectedSeries = { blocked: [], wouldDeny: [] };

function metricsWith(expected: ExpectedSeries = nothing) {
  return createMetrics({ build: { version: '1.2.3', nodeVersion: 'v20.19.0' }, expected, observed: quietObserved });
}

/** The samples of the product's own metrics, as they stand in the text. */
async function samples(metrics: ReturnType<typeof metricsWith>, prefix = 'sallyport_'): Promise<readonly string[]> {
  return (await metrics.render()).split('\n').filter((line) => line.startsWith(prefix));
}

const service = 'vendor="anthropic",product="claude",channel="direct"';

test('expected series are there at 0, and a reload adds some without touching the others', async () => {
  const labels = { vendor: 'anthropic', product: 'claude', channel: 'direct' };
  const metrics = metricsWith({
    blocked: [{ ...labels, rule: denial.rule, answer: 'page' }],
    wouldDeny: [{ ...labels, rule: monitored.rule }],
  });
  expect(await samples(metrics, 'sallyport_blocked_total')).toEqual([
    `sallyport_blocked_total{${service},rule="claude-banned",answer="page"} 0`,
  ]);
  expect(await samples(metrics, 'sallyport_would_deny_total')).toEqual([
    `sallyport_would_deny_total{${service},rule="claude-watched"} 0`,
  ]);
  metrics.finished(block());
  metrics.expect({
    blocked: ['claude-banned', 'new'].map((rule) => ({ ...labels, rule, answer: 'page' })),
    wouldDeny: [],
  });
  expect(await samples(metrics, 'sallyport_blocked_total')).toEqual([
    `sallyport_blocked_total{${service},rule="claude-banned",answer="page"} 1`,
    `sallyport_blocked_total{${service},rule="new",answer="page"} 0`,
  ]);
  expect(await samples(metrics, 'sallyport_would_deny_total')).toHaveLength(1);
});

test.each([
  ['a block', block(), `sallyport_blocked_total{${service},rule="claude-banned",answer="page"} 1`],
  [
    'a denial without an answer',
    block({ outcome: { kind: 'failed', answer: null, error: 'client_rejected_ca' } }),
    `sallyport_blocked_total{${service},rule="claude-banned",answer="none"} 1`,
  ],
  [
    'an unknown service',
    block({ decision: { ...denied, denial: { ...denial, service: null } } }),
    'sallyport_blocked_total{vendor="none",product="none",channel="none",rule="claude-banned",answer="page"} 1',
  ],
  [
    'a monitored tunnel',
    attempt({ decision: monitored }),
    `sallyport_would_deny_total{${service},rule="claude-watched"} 1`,
  ],
  ['a passed tunnel', attempt(), 'sallyport_requests_total{kind="tunnel",effect="allow",outcome="passed"} 1'],
  ['a blocked request', block(), 'sallyport_requests_total{kind="request",effect="deny",outcome="blocked"} 1'],
  [
    'a failed upgrade',
    attempt({ kind: 'upgrade', outcome: { kind: 'failed' } }),
    'sallyport_requests_total{kind="upgrade",effect="allow",outcome="failed"} 1',
  ],
  [
    'an error',
    attempt({ outcome: { kind: 'failed', error: 'dns_error' } }),
    'sallyport_errors_total{code="dns_error",fault="upstream"} 1',
  ],
  ['bytes from the client', attempt({ outcome: { bytesIn: 7 } }), 'sallyport_bytes_total{direction="in"} 7'],
  ['bytes to the client', attempt({ outcome: { bytesOut: 9 } }), 'sallyport_bytes_total{direction="out"} 9'],
  [
    'seconds, not milliseconds',
    attempt({ duration: 2500 }),
    'sallyport_request_duration_seconds_sum{kind="tunnel"} 2.5',
  ],
])('%s', async (_name, finished, expected) => {
  const metrics = metricsWith();
  metrics.finished(finished);
  expect(await samples(metrics)).toContain(expected);
});

test('a scrape changes no count', async () => {
  const metrics = metricsWith();
  metrics.finished(attempt());
  await metrics.render();
  expect(await samples(metrics)).toContain('sallyport_requests_total{kind="tunnel",effect="allow",outcome="passed"} 1');
});

test('every code of the error catalogue is there at 0', async () => {
  const lines = await samples(metricsWith(), 'sallyport_errors_total');
  const expected = Object.entries(errors).map(
    ([code, { fault }]) => `sallyport_errors_total{code="${code}",fault="${fault}"} 0`,
  );
  expect(lines).toEqual(expected);
});

test('what never became an attempt counts as its error', async () => {
  const metrics = metricsWith();
  metrics.rejected(rejected);
  expect(await samples(metrics)).toContain('sallyport_errors_total{code="invalid_target",fault="client"} 1');
});

test('uncaught exceptions and the build', async () => {
  const metrics = metricsWith();
  expect(await samples(metrics)).toContain('sallyport_uncaught_exceptions_total 0');
  metrics.uncaughtException();
  expect(await samples(metrics)).toContain('sallyport_uncaught_exceptions_total 1');
  expect(await samples(metrics)).toContain('sallyport_build_info{version="1.2.3",node_version="v20.19.0"} 1');
});

test('no request adds a series, whatever it says', async () => {
  const metrics = metricsWith();
  const seriesAfter = async (round: number) => {
    for (let index = 0; index < 2000; index += 1) {
      const text = `${round}-${index}.example`;
      const given = {
        id: text,
        host: text,
        userAgent: text,
        clientAddress: `10.0.${index >> 8}.${index & 255}`,
        facts: { method: `M${index}`, path: `/${text}` },
        client: { user: text },
        tunnel: `t-${text}`,
      };
      for (const finished of [block(given), attempt({ ...given, service: null, decision: allowed })]) {
        metrics.decided(finished);
        metrics.finished(finished);
      }
    }
    return (await samples(metrics)).length;
  };
  const first = await seriesAfter(1);
  expect(await seriesAfter(2)).toBe(first);
});

test('promtool finds nothing to complain about', async (context) => {
  const metrics = metricsWith();
  metrics.finished(block());
  metrics.finished(attempt({ decision: monitored, outcome: { kind: 'failed', error: 'dns_error' } }));
  const { status, error, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: await metrics.render(),
    encoding: 'utf8',
  });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
    console.warn('SKIPPED: promtool is missing, so the metrics were not checked; install the package "prometheus"');
    context.skip();
  }
  expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' });
});

test('metrics of two gateways in one process do not mix', async () => {
  const [one, two] = [metricsWith(), metricsWith()];
  one.finished(block());
  expect(await samples(two, 'sallyport_blocked_total')).toEqual([]);
});
