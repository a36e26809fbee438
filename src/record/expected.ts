/** Which series are there before anything was blocked. */
import type { Vendor } from '../flow.ts';
import type { ExpectedSeries } from './metrics.ts';

/** One series for each product, so that dashboards and alerts see a vendor before its first block. */
export function expectedSeries(vendors: readonly Vendor[]): ExpectedSeries {
  const series = vendors.flatMap(({ id: vendor, products }) =>
    products.map(({ id: product, channel }) => ({ vendor, product, channel, rule: '' })),
  );
  return { blocked: series.map((labels) => ({ ...labels, answer: '' })), wouldDeny: series };
}
