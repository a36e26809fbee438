/**
 * For what: from a host to the AI service that it belongs to.
 *
 * The tie rules: the host that a translator, a reader or a wildcard DNS name carries goes before the carrier, where the
 * catalogue knows it, and the carrier's vendor becomes the operator; an exact host before every suffix, and the longest
 * suffix before a shorter one (the index); any name of the index before a template; a template before the AI part of a
 * shared host; a block of addresses for what is no name.
 */
import type { HostPattern, HostTemplate, Hostname, Model, Product, Service, SharedPart, Vendor } from '../flow.ts';
import { inOnePiece } from '../in-one-piece.ts';
import { carriedHost, isCarrier } from './carried.ts';
import { indexGroups } from './clients.ts';
import { modelVendor } from './models.ts';
import type { Fields, VendorAt } from './models.ts';
import { isPart } from './shared-parts.ts';
import { indexTemplates } from './templates.ts';
import type { TemplateEntry } from './templates.ts';

interface HostEntry<T> {
  readonly match: 'suffix' | 'exact';
  readonly host: Hostname;
  readonly value: T;
}

/**
 * The index that the domains of rules are found by too, so that exact and suffix mean one thing in the catalogue and in
 * the policy. `decide/` has it, which needs it to be pure; here it is passed in.
 */
export type IndexHosts = <T>(entries: Iterable<HostEntry<T>>) => { readonly find: (host: Hostname) => T | null };

/**
 * @param path origin-form of a readable request; null or left out before one has been read.
 * @param fields its header.
 */
export type FindService = (host: Hostname, path?: string | null, fields?: Fields) => Service | null;

const noFields: Fields = {};

/** A service, and what it is once a path has byModel the maker of the model. */
interface Known {
  readonly service: Service;
  readonly model: Model | null;
  readonly byModel: Map<string, Service>;
}

interface Part extends Known {
  readonly part: Pick<SharedPart, 'paths' | 'headers'>;
}

/** All that the catalogue has about a host, whatever is asked of it. */
interface Found {
  /** By its name, or a template. */
  readonly named: Known | null;
  /** Of a shared host. */
  readonly parts: readonly Part[];
  /** By its address. */
  readonly addressed: Known | null;
  readonly carrier: boolean;
}

/** Of most hosts: one object for all of them. */
const nothing: Found = { named: null, parts: [], addressed: null, carrier: false };

/** Hosts of which it is remembered what was found. Every attempt asks two or three times, and the next ones again. */
const REMEMBERED = 4_096;

type Said = Pick<HostPattern | HostTemplate, 'role' | 'wire' | 'model'>;

function knownOf(vendor: Vendor, product: Product, { role, wire, model = product.model }: Said): Known {
  const service: Service = {
    vendor: vendor.id,
    vendorName: vendor.name,
    product: product.id,
    productName: product.name,
    kind: product.kind,
    channel: product.channel,
    wire: wire ?? product.wire,
    role,
    // A kind such as `coding-agent` is what a rule's tag would say, without repeating it in every vendor file.
    tags: [...new Set([...vendor.tags, ...product.tags, product.kind])],
    ...(product.operator !== undefined && { operator: product.operator }),
    ...(model !== undefined && { model: model.vendor, modelBy: model.by }),
  };
  return { service, model: model ?? null, byModel: new Map() };
}

function products(vendors: readonly Vendor[]): { readonly vendor: Vendor; readonly product: Product }[] {
  return vendors.flatMap((vendor) => vendor.products.map((product) => ({ vendor, product })));
}

function* hostEntries(vendors: readonly Vendor[]): Generator<HostEntry<Known>> {
  for (const { vendor, product } of products(vendors)) {
    for (const pattern of product.hosts) {
      yield { match: pattern.match, host: pattern.host, value: knownOf(vendor, product, pattern) };
    }
  }
}

/** The parts of one shared host can belong to several products. */
function indexShared(vendors: readonly Vendor[], indexHosts: IndexHosts): (host: Hostname) => readonly Part[] {
  const hosts = new Map<string, HostEntry<Part[]>>();
  const placed: TemplateEntry<readonly Part[]>[] = [];
  for (const { vendor, product } of products(vendors)) {
    for (const part of product.shared ?? []) {
      const value = { ...knownOf(vendor, product, { role: 'api' }), part };
      if (part.match === 'template') {
        placed.push({ template: part.template, value: [value] });
        continue;
      }
      const key = `${part.match} ${part.host}`;
      const entry = hosts.get(key) ?? { match: part.match, host: part.host, value: [] };
      entry.value.push(value);
      hosts.set(key, entry);
    }
  }
  const names = indexHosts<readonly Part[]>(hosts.values());
  const templates = indexTemplates(placed);
  return (host) => names.find(host) ?? templates(host) ?? [];
}

function indexAddresses(vendors: readonly Vendor[]): (host: Hostname) => Known | null {
  const owned = products(vendors).filter(({ product }) => product.addresses !== undefined);
  const known = new Map(owned.map(({ vendor, product }) => [`${vendor.id}/${product.id}`, { vendor, product }]));
  const services = new Map(
    Array.from(known, ([key, { vendor, product }]) => [key, knownOf(vendor, product, { role: 'api' })]),
  );
  const find = indexGroups(
    Object.fromEntries(Array.from(known, ([key, { product }]) => [key, product.addresses ?? []])),
  );
  return (host) => {
    const [key] = find(host);
    return key === undefined ? null : (services.get(key) ?? null);
  };
}

/** One object for each vendor of a model, so that nothing is made for a request. */
function withModel(known: Known, path: string | null, fields: Fields, vendorAt: VendorAt): Service {
  const { service, model, byModel: told } = known;
  const vendor = model === null || model.vendor !== null ? null : modelVendor(model, path, fields, vendorAt);
  if (vendor === null) return service;
  const found = told.get(vendor) ?? { ...service, model: vendor };
  told.set(vendor, found);
  return found;
}

/** The service that runs a host, or null for what is not in the catalogue. */
export function indexServices(vendors: readonly Vendor[], indexHosts: IndexHosts): FindService {
  const names = indexHosts(hostEntries(vendors));
  const shared = indexShared(vendors, indexHosts);
  const templates = indexTemplates(
    products(vendors).flatMap(({ vendor, product }) =>
      (product.templates ?? []).map((template) => ({ template, value: knownOf(vendor, product, template) })),
    ),
  );
  const addresses = indexAddresses(vendors);

  const search = (host: Hostname): Found => {
    const named = names.find(host) ?? templates(host);
    // What goes before the others is all that is looked at.
    const parts = named === null ? shared(host) : nothing.parts;
    const addressed = named === null ? addresses(host) : null;
    const carrier = isCarrier(host);
    const some = named !== null || parts.length > 0 || addressed !== null || carrier;
    return some ? { named, parts, addressed, carrier } : nothing;
  };

  const known = new Map<string, Found>();
  const about = (host: Hostname): Found => {
    const before = known.get(host);
    if (before !== undefined) return before;
    if (known.size >= REMEMBERED) known.clear();
    const found = search(host);
    // Hosts are cut out of heads, which would be kept with them.
    known.set(inOnePiece(host), found);
    return found;
  };

  /** URLs that others write into a header are canonical once they are parsed; a name that is not known is none of ours. */
  const vendorAt: VendorAt = ({ hostname }) => names.find(hostname as Hostname)?.service.vendor ?? null;

  const own = ({ named, parts, addressed }: Found, path: string | null, fields: Fields): Service | null => {
    const part = path === null ? undefined : parts.find((one) => isPart(one.part, path, fields));
    const found = named ?? part ?? addressed;
    return found === null ? null : withModel(found, path, fields, vendorAt);
  };

  return (host, path = null, fields = noFields) => {
    const found = about(host);
    const inside = found.carrier ? carriedHost(host, path) : null;
    if (inside === null) return own(found, path, fields);
    // What is reached inside is another request, of which no path is known.
    const carried = own(about(inside), null, noFields);
    const carrier = own(found, path, fields);
    if (carried === null) return carrier;
    return { ...carried, carried: inside, ...(carrier !== null && { operator: carrier.vendor }) };
  };
}
