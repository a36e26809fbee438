/**
 * Overlays: an operator's files that add vendors, products and hosts to the catalogue, override and remove entries,
 * without changing the files of the program.
 */
import { z } from 'zod';
import type { Finding } from './problem.ts';
import { id, line, oneOrMany, strict } from './scalars.ts';
import { parts } from './vendor-schema.ts';
import type { ProductFile, VendorFile } from './vendor-schema.ts';
import type { YamlFile } from './yaml.ts';

const product = strict({
  id,
  name: line.optional(),
  kind: parts.kind.optional(),
  channel: parts.channel.optional(),
  operator: id.optional(),
  wire: parts.wire.optional(),
  model: parts.model.optional(),
  tags: z.array(id).optional(),
  note: line.optional(),
  hosts: z.array(parts.hosts).default([]),
});

export const overlaySchema = strict({
  /** Of a vendor in the catalogue, or a new one. */
  id,
  name: line.optional(),
  owner: line.optional(),
  country: parts.country.optional(),
  aliases: z.array(id).default([]),
  /** In addition to those of the catalogue. */
  tags: z.array(id).default([]),
  risks: z.array(line).default([]),
  products: z.array(product).default([]),
  shared: z.array(parts.shared).default([]),
  /** Hosts and templates to remove from the vendor. */
  remove: oneOrMany(line).optional(),
});

export type OverlayFile = z.output<typeof overlaySchema>;
type ProductOverlay = OverlayFile['products'][number];

export interface OverlaySource {
  readonly source: YamlFile;
  readonly overlay: OverlayFile;
}

interface Found {
  readonly source: YamlFile;
  readonly finding: Finding;
}

const emptyLists = { addresses: [], resolvers: [], clients: [], api: [], account: [], tenant: [], carries: [] };

function asProduct(given: ProductOverlay): ProductFile {
  const { name = given.id, kind = 'api', channel = 'direct', wire = 'none', tags = [] } = given;
  return { ...emptyLists, ...given, name, kind, channel, wire, tags };
}

/** The overlay as a vendor file of its own, to which the same checks apply. */
export function asVendor(overlay: OverlayFile): VendorFile {
  const { id, name = overlay.id, owner, country, aliases, tags, risks, shared } = overlay;
  return { id, name, owner, country, aliases, tags, risks, shared, products: overlay.products.map(asProduct) };
}

type Hosts = ProductFile['hosts'][number];

function textsOf({ suffix = [], exact = [], template = [] }: Hosts): string[] {
  return [...suffix, ...exact, ...template.map(({ text }) => text)];
}

/** The entry without the hosts that the overlay names; null if nothing is left. */
function without(entry: Hosts, taken: ReadonlySet<string>): Hosts | null {
  if (!textsOf(entry).some((host) => taken.has(host))) return entry;
  const keep = <T>(list: readonly T[] | undefined, text: (item: T) => string): T[] | undefined => {
    const left = list?.filter((item) => !taken.has(text(item))) ?? [];
    return left.length > 0 ? left : undefined;
  };
  const left = {
    ...entry,
    suffix: keep(entry.suffix, String),
    exact: keep(entry.exact, String),
    template: keep(entry.template, ({ text }) => text),
  };
  return (left.suffix ?? left.exact ?? left.template) === undefined ? null : left;
}

function mergeProduct(own: ProductFile, over: ProductOverlay): ProductFile {
  return {
    ...own,
    name: over.name ?? own.name,
    kind: over.kind ?? own.kind,
    channel: over.channel ?? own.channel,
    operator: over.operator ?? own.operator,
    wire: over.wire ?? own.wire,
    model: over.model ?? own.model,
    tags: over.tags ?? own.tags,
    note: over.note ?? own.note,
    hosts: [...own.hosts, ...over.hosts],
  };
}

function mergeProducts(own: readonly ProductFile[], given: readonly ProductOverlay[]): ProductFile[] {
  const known = new Set(own.map(({ id }) => id));
  const merged = own.map((product) => {
    const over = given.find(({ id }) => id === product.id);
    return over === undefined ? product : mergeProduct(product, over);
  });
  return [...merged, ...given.filter(({ id }) => !known.has(id)).map(asProduct)];
}

function merge(own: VendorFile, over: OverlayFile): VendorFile {
  return {
    id: own.id,
    name: over.name ?? own.name,
    owner: over.owner ?? own.owner,
    country: over.country ?? own.country,
    aliases: [...new Set([...own.aliases, ...over.aliases])],
    tags: [...new Set([...own.tags, ...over.tags])],
    risks: [...own.risks, ...over.risks],
    shared: [...own.shared, ...over.shared],
    products: mergeProducts(own.products, over.products),
  };
}

function incomplete(overlay: OverlayFile, own: VendorFile | undefined): Finding[] {
  const found: Finding[] = [];
  if (own === undefined && overlay.name === undefined) {
    found.push({
      path: ['id'],
      message: `"${overlay.id}" is not a vendor of the catalogue; correct it, or add "name" for a new one`,
    });
  }
  for (const [i, { id, name, kind }] of overlay.products.entries()) {
    const known = own?.products.some((product) => product.id === id) === true;
    if (known || (name !== undefined && kind !== undefined)) continue;
    const message = `"${id}" is not a product of the vendor; correct it, or add "name" and "kind" for a new one`;
    found.push({ path: ['products', i, 'id'], message });
  }
  const hosts = new Set(own?.products.flatMap((product) => product.hosts.flatMap(textsOf)));
  for (const [i, host] of (overlay.remove ?? []).entries()) {
    if (hosts.has(host)) continue;
    found.push({ path: ['remove', i], message: `"${host}" is not a host of the vendor; correct or remove it` });
  }
  return found;
}

/** The vendors with overlays applied. A host that an overlay names belongs to it, wherever it was before. */
export function applyOverlay(
  own: readonly VendorFile[],
  overlays: readonly OverlaySource[],
): { readonly vendors: readonly VendorFile[]; readonly findings: readonly Found[] } {
  if (overlays.length === 0) return { vendors: own, findings: [] };
  const byId = new Map(own.map((vendor) => [vendor.id, vendor]));
  const findings = overlays.flatMap(({ source, overlay }) =>
    incomplete(overlay, byId.get(overlay.id)).map((finding) => ({ source, finding })),
  );
  const taken = new Set(
    overlays.flatMap(({ overlay }) => [
      ...overlay.products.flatMap(({ hosts }) => hosts.flatMap(textsOf)),
      ...(overlay.remove ?? []),
    ]),
  );
  const vendors = new Map(
    own.map((vendor) => {
      const products = vendor.products.map((product) => ({
        ...product,
        hosts: product.hosts.map((entry) => without(entry, taken)).filter((entry) => entry !== null),
      }));
      return [vendor.id, { ...vendor, products }];
    }),
  );
  for (const { overlay } of overlays) {
    const before = vendors.get(overlay.id);
    vendors.set(overlay.id, before === undefined ? asVendor(overlay) : merge(before, overlay));
  }
  return { vendors: [...vendors.values()], findings };
}
