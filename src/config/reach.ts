/** Which products of the catalogue a rule can match. */
import type { Product, RiskClass, Vendor, What } from '../flow.ts';

export function isHostless({ hosts, templates, shared }: Product): boolean {
  return hosts.length + (templates?.length ?? 0) + (shared?.length ?? 0) === 0;
}

/** Every vendor that may have a part in requests to a product. */
function parties(vendor: Vendor, { operator, model, hosts, templates = [] }: Product): readonly (string | null)[] {
  const models = [model, ...[...hosts, ...templates].map((host) => host.model)].filter((one) => one !== undefined);
  const makers = models.flatMap((one) => [
    one.vendor,
    ...one.paths.flatMap((path) => [path.vendor, ...Object.values(path.makers)]),
  ]);
  return [vendor.id, operator ?? null, ...makers];
}

/** A product's kind is also a tag. */
function tagsOf(vendor: Vendor, product: Product): readonly string[] {
  return [...vendor.tags, ...product.tags, product.kind];
}

export type Classes = Readonly<Record<string, RiskClass>>;

/** Whether any field of a class names it. */
function isIn({ vendors, products, channels, tags }: RiskClass, vendor: Vendor, product: Product): boolean {
  const own = tagsOf(vendor, product);
  return (
    parties(vendor, product).some((id) => id !== null && vendors?.includes(id) === true) ||
    products?.includes(`${vendor.id}/${product.id}`) === true ||
    channels?.includes(product.channel) === true ||
    tags?.some((tag) => own.includes(tag)) === true
  );
}

/** Whether any host of the product can match a rule, apart from the rule's domains. */
export function reachable(what: What, classes: Classes, vendor: Vendor, product: Product): boolean {
  const { vendors, products, channels, tags, risks } = what;
  if (isHostless(product)) return false;
  if (vendors !== undefined && !parties(vendor, product).some((id) => id !== null && vendors.includes(id)))
    return false;
  if (products !== undefined && !products.includes(`${vendor.id}/${product.id}`)) return false;
  if (channels !== undefined && !channels.includes(product.channel)) return false;
  if (risks !== undefined && !risks.some((id) => isIn(classes[id] ?? {}, vendor, product))) return false;
  const own = tagsOf(vendor, product);
  return tags === undefined || tags.some((tag) => own.includes(tag));
}
