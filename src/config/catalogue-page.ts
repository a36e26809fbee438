/** Renders the catalogue as a page: what is covered, what needs inspection inside TLS, and what cannot be separated. */
import { counted } from './counted.ts';
import type { ProductFile, VendorFile } from './vendor-schema.ts';

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** `api 3, cdn 1`: the number of hosts in each role. */
function roles({ hosts }: ProductFile): string {
  const counts = new Map<string, number>();
  for (const { role, suffix = [], exact = [], template = [] } of hosts) {
    counts.set(role, (counts.get(role) ?? 0) + suffix.length + exact.length + template.length);
  }
  return Array.from(counts, ([role, count]) => `${role} ${count}`).join(', ');
}

type Shared = VendorFile['shared'][number];

function shownHost({ host, suffix, template }: Shared): string {
  return `\`${host ?? (suffix === undefined ? (template?.text ?? '') : `*.${suffix}`)}\``;
}

/** Parts that only the path of a request distinguishes. */
function inside(vendor: VendorFile, product: ProductFile): string {
  const parts = vendor.shared.filter((entry) => entry.product === product.id && entry.paths !== undefined);
  const tells = typeof product.model === 'object' ? [`whose model: by ${product.model.by}`] : [];
  return [...parts.map((part) => `${shownHost(part)} ${(part.paths ?? []).join(' ')}`), ...tells].join('; ');
}

function row(vendor: VendorFile, product: ProductFile): string {
  const carried = product.carries.flatMap(({ vendors }) => vendors).join(', ');
  const cells = [`${vendor.id}/${product.id}`, product.name, product.kind, product.channel, roles(product)];
  return `| ${[...cells, inside(vendor, product), carried].map(cell).join(' | ')} |`;
}

function inseparable(vendor: VendorFile): string[] {
  return vendor.shared
    .filter(({ paths, headers }) => paths === undefined && headers === undefined)
    .map((entry) => `| ${[vendor.id, shownHost(entry), entry.why].map(cell).join(' | ')} |`);
}

/** Markdown. */
export function cataloguePage(vendors: readonly VendorFile[]): string {
  const sorted = vendors.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const products = sorted.reduce((sum, vendor) => sum + vendor.products.length, 0);
  return [
    '# The catalogue',
    '',
    `${counted(sorted.length, 'vendor')} with ${counted(products, 'product')}. Written by \`sallyport catalog page\`; [add a vendor](add-a-vendor.md).`,
    '',
    '*Inside* is what only the request itself can tell: the AI part of a host with other traffic, or whose model answers.',
    '*Carries* lists vendors whose models answer behind the product, beyond the reach of a denial of them.',
    '',
    '| product | name | kind | channel | hosts by role | inside | carries |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...sorted.flatMap((vendor) => vendor.products.map((product) => row(vendor, product))),
    '',
    '## Never denied as a whole',
    '',
    'Hosts that products use and that also carry other traffic. Nothing in a request tells the two apart.',
    '',
    '| used by | host | what else it carries |',
    '| --- | --- | --- |',
    ...sorted.flatMap(inseparable),
    '',
  ].join('\n');
}
