import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { expositionOf } from '../../src/record/exposition.ts';

/** Labels in the order of their names: prom-client writes those of histograms in another one. */
function lines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line.replace(
        /\{(.*)\}/,
        (_whole, labels: string) =>
          `{${labels
            .split(/,(?=[a-z]+=)/)
            .toSorted()
            .join(',')}}`,
      ),
    );
}

function registryOf(series: number): Registry {
  const registry = new Registry();
  const registers = [registry];
  const many = new Counter({ name: 'many_total', help: 'Many.', labelNames: ['vendor', 'rule'], registers });
  for (let i = 0; i < series; i += 1) many.inc({ vendor: `v${i}`, rule: 'r' }, i);
  const odd = new Gauge({ name: 'odd', help: 'A \\ and\na "line".', labelNames: ['word'], registers });
  for (const word of ['a"b', 'a\\b', 'a\nb', 'a\\nb', 'é, x="y"', '']) odd.set({ word }, 0.5);
  new Gauge({ name: 'endless', help: 'Above all.', registers }).set(Infinity);
  new Gauge({ name: 'endless_below', help: 'Below all.', registers }).set(-Infinity);
  const times = new Histogram({ name: 'times', help: 'Times.', labelNames: ['kind'], buckets: [0.1, 1], registers });
  times.observe({ kind: 'tunnel' }, 0.5);
  return registry;
}

test('says what prom-client says', async () => {
  const registry = registryOf(600);
  expect(lines(await expositionOf(await registry.getMetricsAsJSON()))).toEqual(lines(await registry.metrics()));
});

test('a value that is no number is spelled as the format says', async () => {
  const registry = new Registry();
  new Gauge({ name: 'unknown', help: 'Unknown.', registers: [registry] }).set(NaN);
  expect(await expositionOf(await registry.getMetricsAsJSON())).toContain('\nunknown NaN\n');
});

test('others have their turn while many series are written', async () => {
  const metrics = await registryOf(1_000).getMetricsAsJSON();
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await expositionOf(metrics);
  over = true;
  expect(turns).toBeGreaterThanOrEqual(4);
});
