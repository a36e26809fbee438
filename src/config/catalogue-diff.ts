/** The differences between two catalogues, so that an update can be reviewed before it is adopted. */
import { hostEntries } from './catalogue.ts';
import type { VendorFile } from './vendor-schema.ts';

export interface Moved {
  readonly host: string;
  /** `vendor/product`. */
  readonly from: string;
  readonly to: string;
}

export interface Changes {
  readonly vendors: { readonly added: readonly string[]; readonly removed: readonly string[] };
  readonly products: { readonly added: readonly string[]; readonly removed: readonly string[] };
  readonly hosts: {
    readonly added: readonly { readonly host: string; readonly to: string }[];
    readonly removed: readonly { readonly host: string; readonly from: string }[];
    readonly moved: readonly Moved[];
  };
}

function vendorIds(vendors: readonly VendorFile[]): string[] {
  return vendors.map(({ id }) => id);
}

function productIds(vendors: readonly VendorFile[]): string[] {
  return vendors.flatMap(({ id, products }) => products.map((product) => `${id}/${product.id}`));
}

/** `*.example.com` for a suffix; otherwise as written. */
function owners(vendors: readonly VendorFile[]): Map<string, string> {
  return new Map(
    vendors.flatMap((vendor) =>
      hostEntries(vendor).map(({ host, match, product }): [string, string] => [
        match === 'suffix' ? `*.${host}` : host,
        `${vendor.id}/${product}`,
      ]),
    ),
  );
}

function compare(before: readonly string[], after: readonly string[]): { added: string[]; removed: string[] } {
  const [old, now] = [new Set(before), new Set(after)];
  return { added: after.filter((id) => !old.has(id)), removed: before.filter((id) => !now.has(id)) };
}

export function diffCatalogues(before: readonly VendorFile[], after: readonly VendorFile[]): Changes {
  const [old, now] = [owners(before), owners(after)];
  return {
    vendors: compare(vendorIds(before), vendorIds(after)),
    products: compare(productIds(before), productIds(after)),
    hosts: {
      added: Array.from(now, ([host, to]) => ({ host, to })).filter(({ host }) => !old.has(host)),
      removed: Array.from(old, ([host, from]) => ({ host, from })).filter(({ host }) => !now.has(host)),
      moved: Array.from(now, ([host, to]) => ({ host, from: old.get(host) ?? to, to })).filter(
        ({ from, to }) => from !== to,
      ),
    },
  };
}

/** One line for each change. */
export function changeLines({ vendors, products, hosts }: Changes): string[] {
  return [
    ...vendors.added.map((id) => `+ vendor ${id}`),
    ...vendors.removed.map((id) => `- vendor ${id}`),
    ...products.added.map((id) => `+ product ${id}`),
    ...products.removed.map((id) => `- product ${id}`),
    ...hosts.added.map(({ host, to }) => `+ host ${host} (${to})`),
    ...hosts.removed.map(({ host, from }) => `- host ${host} (${from})`),
    ...hosts.moved.map(({ host, from, to }) => `~ host ${host} (${from} to ${to})`),
  ];
}
