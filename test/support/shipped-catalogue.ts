/** The catalogue that ships, and the tables of hosts that it is asked for. */
import { readFileSync } from 'node:fs';
import { toVendor } from '../../src/config/vendor-schema.ts';
import { readVendors } from '../../src/config/vendors.ts';
import { indexHosts } from '../../src/decide/match.ts';
import { indexServices } from '../../src/identify/services.ts';
import { parseHost } from '../../src/listen/target.ts';

/** The words of each line of a table in `test/fixtures`. */
export function table(name: string): string[][] {
  const text = readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(' '));
}

export const folder = 'config/vendors';
export const sources = readVendors(folder, null);
export const find = indexServices(
  sources.map(({ vendor }) => toVendor(vendor)),
  indexHosts,
);

/** `vendor/product`, or null for a host that is none of an AI service. */
export function serviceOf(host: string): string | null {
  const service = find(parseHost(host).host);
  return service === null ? null : `${service.vendor}/${service.product}`;
}
