/** Alert rules and the dashboard, judged by Prometheus' own tools and against the metrics that the proxy really has. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMetrics } from '../../src/record/metrics.ts';
import { isInstalled, read, readYaml, repository, runTool } from './repository.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface RuleFile {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
}
interface Target {
  readonly expr: string;
}
interface Dashboard {
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly Target[] };
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly description?: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly Target[];
  }[];
}

const ruleFile = 'deploy/prometheus/rules/sallyport.rules.yaml';
const alerts = (readYaml(ruleFile) as RuleFile).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('deploy/grafana/dashboards/sallyport.json')) as Dashboard;
const panels = dashboard.panels.filter((panel) => panel.type !== 'row');
const queries = [...panels.flatMap((panel) => panel.targets ?? []), ...dashboard.annotations.list].map(
  ({ expr }) => expr,
);

const folder = mkdtempSync(join(tmpdir(), 'sallyport-prometheus-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Sample name to its labels, as a scrape shows them after one denied attempt; `up` and the target labels are
 * Prometheus' own.
 */
const scraped = new Map<string, Set<string>>([['up', new Set()]]);
const targetLabels = ['job', 'instance'];

beforeAll(async () => {
  const series = { vendor: 'v', product: 'p', channel: 'direct', rule: 'r' };
  const metrics = createMetrics({
    build: { version: '0', nodeVersion: process.version },
    expected: { blocked: [{ ...series, answer: 'page' }], wouldDeny: [series] },
    observed: {
      tunnelsOpen: () => 0,
      connectionsOpen: () => 0,
      leafCertificatesMinted: () => 0,
      authentications: () => ({ user: 0 }),
      limited: () => ({ connections: 0 }),
      tunnelsRejudged: () => [{ vendor: 'v', rule: 'r', openTunnels: 'cut', count: 1 }],
      accessLogLinesLost: () => 0,
      caNotAfter: () => 0,
      proxyTlsExpiry: () => ({ cert_file: 0, client_crl_file: 0 }),
      configReload: () => ({ successful: true, lastSuccessAt: 0 }),
      policyHash: () => 'h',
      catalogue: () => ({ version: 'v', checked: '2026-07-10' }),
      catalogueFetches: () => ({ adopted: 0, unchanged: 1, refused: 0, failed: 0, lastSuccessAt: 1 }),
      exceptions: () => ({
        exceptions: { active: 1, nextEnd: 1 },
        pauses: { active: 1, nextEnd: 1 },
        readable: true,
      }),
      domainLists: () => [
        { id: 'l', domains: 1, badLines: 1, lastSuccessAt: 1, successful: true, fetches: { adopted: 1 } },
      ],
      workers: () => ({ running: 1, replaced: 0 }),
      clientTrust: () => ({ accepted: 0, unknown_ca: 0, bad_certificate: 0, reset: 0, silent: 0 }),
      blockEvents: () => [{ vendor: 'a', product: 'b', rule: 'c', count: 1 }],
      blockEventsLost: () => ({ log: 0, webhook: 0 }),
    },
  });
  const text = await metrics.render();
  for (const [, name = '', labels = ''] of text.matchAll(/^([a-z_0-9]+)(?:\{(.*)\})? /gm)) {
    const known = scraped.get(name) ?? new Set<string>();
    for (const [, label = ''] of labels.matchAll(/([a-z_]+)="/g)) known.add(label);
    scraped.set(name, known);
  }
});

/** What a query asks for that no scrape can bring: unknown metrics, and labels that the metric does not have. */
function unknownIn(expr: string): string[] {
  const found: string[] = [];
  const names = [...expr.matchAll(/\b((?:sallyport|process|nodejs)_[a-z_0-9]+|up)\b(?:\{([^}]*)\})?/g)];
  for (const [, name = '', matchers = ''] of names) {
    const labels = scraped.get(name);
    if (labels === undefined) found.push(name);
    for (const [, label = ''] of matchers.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)) {
      if (labels !== undefined && !labels.has(label) && !targetLabels.includes(label)) found.push(`${name}{${label}}`);
    }
  }
  const labels = names.flatMap(([, name = '']) => [...(scraped.get(name) ?? [])]);
  for (const [, by = ''] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
    for (const label of by.split(',').map((text) => text.trim())) {
      if (!labels.includes(label) && !targetLabels.includes(label)) found.push(`by (${label})`);
    }
  }
  return names.length === 0 ? ['no metric at all'] : found;
}

describe('what a query asks for', () => {
  test.each([
    ['sallyport_tunnels_gone', ['sallyport_tunnels_gone']],
    ['rate(sallyport_blocked_total{host="a"}[5m])', ['sallyport_blocked_total{host}']],
    ['sum by (user) (sallyport_tunnels_open)', ['by (user)']],
    ['vector(1)', ['no metric at all']],
  ])('the check itself finds what is wrong in %s', (expr, wrong) => {
    expect(unknownIn(expr)).toEqual(wrong);
  });

  test.each(alerts.map(({ alert, expr }) => [alert, expr]))('alert %s: metrics and labels exist', (_alert, expr) => {
    expect(unknownIn(expr)).toEqual([]);
  });

  test.each([...new Set(queries)])('dashboard: metrics and labels exist in %s', (expr) => {
    expect(unknownIn(expr)).toEqual([]);
  });

  test('template variables read labels that exist', () => {
    const definitions = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
    expect(definitions).toHaveLength(2);
    for (const definition of definitions) {
      const [, metric = '', label = ''] = /^label_values\((.+), ([a-z]+)\)$/.exec(definition) ?? [];
      expect(unknownIn(`sum by (${label}) (${metric})`)).toEqual([]);
    }
  });
});

describe('alert rules', () => {
  test.each(alerts)('$alert says how bad it is, what happened and what to do', ({ labels, annotations }) => {
    expect(labels['severity']).toMatch(/^(critical|warning)$/);
    expect(annotations['summary']).toMatch(/\S/);
    expect(annotations['description']?.length).toBeGreaterThan(100);
  });

  test('each has a unit test', () => {
    const folderOfTests = 'deploy/prometheus/tests';
    const tests = readdirSync(join(repository, folderOfTests)).map((name) => read(`${folderOfTests}/${name}`));
    const untested = alerts.filter(({ alert }) => !new RegExp(`\\b${alert}\\b`).test(patternsOf(tests.join('\n'))));
    expect(untested.map(({ alert }) => alert)).toEqual([]);
  });

  test.skipIf(!isInstalled('promtool')).each([
    ['check', 'config', 'deploy/prometheus/prometheus.yml'],
    ['check', 'rules', ruleFile],
    ['test', 'rules', 'deploy/prometheus/tests/availability.test.yaml', 'deploy/prometheus/tests/policy.test.yaml'],
  ])('promtool %s %s %s', (...args) => {
    const { status, output } = runTool('promtool', ...args);
    expect(output).not.toContain('FAILED');
    expect(status, output).toBe(0);
  });

  test('promtool is given every file of unit tests', () => {
    expect(readdirSync(join(repository, 'deploy/prometheus/tests'))).toEqual([
      'availability.test.yaml',
      'policy.test.yaml',
    ]);
  });
});

/** Unit tests name several alerts at once by `SallyportCaExpires.*`; here each that it stands for counts as named. */
function patternsOf(text: string): string {
  const named = alerts.filter(({ alert }) =>
    [...text.matchAll(/\b(\w+)\.\*/g)].some(([, start = '']) => alert.startsWith(start)),
  );
  return [text, ...named.map(({ alert }) => alert)].join('\n');
}

describe('dashboard', () => {
  test.skipIf(!isInstalled('promtool'))('every query is PromQL', () => {
    const rules = queries.map((expr, index) => ({
      record: `dashboard:query_${index}`,
      expr: expr.replaceAll(/\$__(rate_)?interval|\$__range/g, '5m').replaceAll(/\$(instance|vendor)/g, '.*'),
    }));
    expect(rules.filter(({ expr }) => expr.includes('$'))).toEqual([]);
    const file = join(folder, 'dashboard.rules.json');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    const { status, output } = runTool('promtool', 'check', 'rules', file);
    expect(status, output).toBe(0);
    expect(output).toContain(`${queries.length} rules found`);
  });

  test('panels have ids of their own, a title and a description, and do not overlap', () => {
    const ids = dashboard.panels.map((panel) => panel.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(panels.filter((panel) => !panel.title || !panel.description)).toEqual([]);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.x + gridPos.w))).toBe(24);
  });

  test('shows every metric of our own that moves', () => {
    const shown = queries.join('\n');
    // Of a histogram the buckets will do.
    const ours = [...scraped.keys()].filter((name) => /^sallyport_(?!.*_seconds_(sum|count)$)/.test(name));
    expect(ours.filter((name) => !shown.includes(name))).toEqual([]);
  });
});
