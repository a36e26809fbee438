/**
 * Writes the Prometheus text format (version 0.0.4) a little at a time. prom-client writes all series in one go, and
 * with those of the whole catalogue every connection would wait for tens of milliseconds at each scrape.
 */
import { setImmediate } from 'node:timers/promises';
import type { MetricsFacts } from './metrics-sum.ts';

/** Series that are written before others have their turn: about half a millisecond. */
const TURN = 250;

type Series = MetricsFacts[number]['values'][number];
/** The series of a histogram have names of their own. */
type Named = Series & { readonly metricName?: string };

const special = /[\\\n"]/;

function escaped(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
}

function labelsText(labels: Series['labels']): string {
  let text = '';
  for (const [name, given] of Object.entries(labels)) {
    const value = String(given);
    text += `${text === '' ? '{' : ','}${name}="${special.test(value) ? escaped(value).replaceAll('"', String.raw`\"`) : value}"`;
  }
  return text === '' ? '' : `${text}}`;
}

function valueText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

export async function expositionOf(metrics: MetricsFacts): Promise<string> {
  let written = 0;
  const parts: string[] = [];
  for (const { name, help, type, values } of metrics) {
    if (parts.length > 0) parts.push('\n');
    parts.push(`# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`);
    for (const { metricName = name, labels, value } of values as readonly Named[]) {
      parts.push(`${metricName}${labelsText(labels)} ${valueText(value)}\n`);
      written += 1;
      if (written % TURN === 0) await setImmediate();
    }
  }
  return parts.join('');
}
