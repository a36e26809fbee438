/**
 * Maps a host to the AI service that it belongs to.
 *
 * Precedence: the host that a translator, a reader or a wildcard DNS name carries goes before the carrier if the
 * catalogue knows it, and the carrier's vendor becomes the operator; an exact host before a suffix, and a longer suffix
 * before a shorter one (the index); a name in the index before a template; a template before the AI part of a shared
 * host; address blocks for hosts that are no names.
 */
import type { HostPattern, HostTemplate, Hostname, Model, Product, Service, SharedPart, Vendor } from '../flow.ts';
import { inOnePiece } from '../in-one-piece.ts';
import { carriedHosts, isCarrier } from './carried.ts';
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
 * The index that also finds the domains of rules, so that exact and suffix mean the same in catalogue and policy. It
 * belongs to `decide/`, which is pure, and is therefore passed in.
 */
export type IndexHosts = <T>(entries: Iterable<HostEntry<T>>) => { readonly find: (host: Hostname) => T | null };

/**
 * @param path origin-form of a request; null or left out if none has been read.
 * @param fields its header.
 */
export type FindService = (host: Hostname, path?: string | null, fields?: Fields) => Service | null;

const noFields: Fields = {};

/** A service, and its variants once a request has revealed the maker of the model. */
interface Known {
  readonly service: Service;
  readonly model: Model | null;
  readonly byModel: Map<string, Service>;
}

interface Part extends Known {
  readonly part: Pick<SharedPart, 'paths' | 'headers'>;
}

/** Everything that the catalogue has about a host. */
interface Found {
  /** By name or template. */
  readonly named: Known | null;
  /** Parts of a shared host. */
  readonly parts: readonly Part[];
  /** By address. */
  readonly addressed: Known | null;
  readonly carrier: boolean;
}

/** For most hosts: one object for all of them. */
const nothing: Found = { named: null, parts: [], addressed: null, carrier: false };

/** Number of hosts that are cached. Every attempt looks a host up two or three times, and so do the next ones. */
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
    // A kind such as `coding-agent` can be used like a tag, without each vendor file repeating it.
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

/** The parts of a shared host may belong to several products. */
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

/** One cached object for each vendor of a model, so that requests allocate none. */
function withModel(known: Known, path: string | null, fields: Fields, vendorAt: VendorAt): Service {
  const { service, model, byModel: told } = known;
  const vendor = model === null || model.vendor !== null ? null : modelVendor(model, path, fields, vendorAt);
  if (vendor === null) return service;
  const found = told.get(vendor) ?? { ...service, model: vendor };
  told.set(vendor, found);
  return found;
}

/** Finds the service of a host, or null if the catalogue does not have it. */
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
    // Shared parts and addresses count only if there is no name.
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
    // A slice of a head would keep the whole head in memory.
    known.set(inOnePiece(host), found);
    return found;
  };

  /** A parsed URL has a canonical host; one that is unknown gives null. */
  const vendorAt: VendorAt = ({ hostname }) => names.find(hostname as Hostname)?.service.vendor ?? null;

  const own = ({ named, parts, addressed }: Found, path: string | null, fields: Fields): Service | null => {
    const part = path === null ? undefined : parts.find((one) => isPart(one.part, path, fields));
    const found = named ?? part ?? addressed;
    return found === null ? null : withModel(found, path, fields, vendorAt);
  };

  return (host, path = null, fields = noFields) => {
    const found = about(host);
    const carrier = own(found, path, fields);
    if (!found.carrier) return carrier;
    // The request to the carried host is another one, whose path is unknown.
    const [first, second] = carriedHosts(host, path)
      .map((inside) => ({ inside, service: own(about(inside), null, noFields) }))
      .filter(({ service }) => service !== null);
    if (first?.service == null) return carrier;
    // It is unknown which of two the carrier fetches, so rules about either apply, as well as those about the carrier.
    const [operator, other] = [second?.service?.vendor, carrier?.vendor].filter((vendor) => vendor !== undefined);
    const model = first.service.model ?? other;
    return {
      ...first.service,
      carried: first.inside,
      ...(operator !== undefined && { operator }),
      ...(model !== undefined && { model }),
    };
  };
}
