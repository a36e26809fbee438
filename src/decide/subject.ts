/** The subject of a decision: a host, its service, and the service's risk classes. */
import type { Hostname, RiskClass, Service } from '../flow.ts';

/** One host to be judged. */
export interface Subject {
  readonly host: Hostname;
  readonly service: Service | null;
  /** Risk classes of the service. */
  readonly risks: readonly string[];
  /**
   * The service is treated as another vendor's (see {@link besides}), so only entries that name vendors or risk classes
   * apply.
   */
  readonly beside?: boolean;
}

/** The risk classes of a service; if `beside` is true, only those that name its vendor. */
export type RisksOf = (service: Service, beside: boolean) => readonly string[];

const none: readonly string[] = [];
const nobody: readonly Subject[] = [];

export function productKey({ vendor, product }: Service): string {
  return `${vendor}/${product}`;
}

export function indexRisks(classes: Readonly<Record<string, RiskClass>> = {}): RisksOf {
  const all = Object.entries(classes);
  if (all.length === 0) return () => none;
  const by = (field: keyof RiskClass): ReadonlyMap<string, readonly string[]> => {
    const found = new Map<string, string[]>();
    for (const [id, one] of all) for (const word of one[field] ?? []) found.set(word, [...(found.get(word) ?? []), id]);
    return found;
  };
  const [vendors, products, tags, channels] = [by('vendors'), by('products'), by('tags'), by('channels')];
  const ofVendor = ({ vendor }: Service): readonly string[] => vendors.get(vendor) ?? none;
  // The catalogue has one object per service, so objects serve as keys.
  const known = new WeakMap<Service, readonly string[]>();
  return (service, beside) => {
    if (beside) return ofVendor(service);
    const before = known.get(service);
    if (before !== undefined) return before;
    const found = new Set([
      ...ofVendor(service),
      ...(products.get(productKey(service)) ?? none),
      ...service.tags.flatMap((tag) => tags.get(tag) ?? none),
      ...(channels.get(service.channel) ?? none),
    ]);
    const risks = found.size === 0 ? none : [...found];
    known.set(service, risks);
    return risks;
  };
}

export function subjectOf(host: Hostname, service: Service | null, risksOf: RisksOf): Subject {
  return { host, service, risks: service === null ? none : risksOf(service, false) };
}

/**
 * One more subject for each other vendor with a part in the service: the one that runs the host, and the one whose
 * model answers. Rules about a vendor apply to each of them, so an allowed cloud does not lift the denial of a model
 * that it resells.
 */
export function besides({ host, service }: Subject, risksOf: RisksOf): readonly Subject[] {
  if (service === null) return nobody;
  const { operator, model } = service;
  if ((operator ?? model ?? null) === null) return nobody;
  const others = [operator, model].filter((vendor) => typeof vendor === 'string' && vendor !== service.vendor);
  return [...new Set(others)].map((vendor) => {
    const seen = { ...service, vendor: vendor ?? service.vendor };
    return { host, service: seen, risks: risksOf(seen, true), beside: true };
  });
}
