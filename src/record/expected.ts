/** The metric series that exist before anything has been blocked. */
import type { Vendor } from '../flow.ts';
import type { ExpectedSeries } from './metrics.ts';

/** One series per product, so that dashboards and alerts know a vendor before its first block. */
export function expectedSeries(vendors: readonly Vendor[]): ExpectedSeries {
  const series = vendors.flatMap(({ id: vendor, products }) =>
    products.map(({ id: product, channel }) => ({ vendor, product, channel, rule: '' })),
  );
  return { blocked: series.map((labels) => ({ ...labels, answer: '' })), wouldDeny: series };
}
