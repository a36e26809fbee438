/** For what: from a host to the AI service that it belongs to. */
import type { HostPattern, Hostname, Product, Service, Vendor } from '../flow.ts';

interface HostEntry {
  readonly match: HostPattern['match'];
  readonly host: Hostname;
  readonly value: Service;
}

/**
 * The index that the domains of rules are found by too, so that exact and suffix mean one thing in the catalogue and in
 * the policy. `decide/` has it, which needs it to be pure; here it is passed in.
 */
export type IndexHosts = (entries: Iterable<HostEntry>) => { readonly find: (host: Hostname) => Service | null };

function serviceOf(vendor: Vendor, product: Product, { role, wire }: HostPattern): Service {
  return {
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
  };
}

function* hostEntries(vendors: readonly Vendor[]): Generator<HostEntry> {
  for (const vendor of vendors) {
    for (const product of vendor.products) {
      for (const pattern of product.hosts) {
        yield { match: pattern.match, host: pattern.host, value: serviceOf(vendor, product, pattern) };
      }
    }
  }
}

/** The service that runs a host, or null for what is not in the catalogue. The tie rules are those of the index. */
export function indexServices(vendors: readonly Vendor[], indexHosts: IndexHosts): (host: Hostname) => Service | null {
  return indexHosts(hostEntries(vendors)).find;
}
