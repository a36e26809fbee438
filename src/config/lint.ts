/** What is allowed in a configuration but hardly meant. Warnings only; errors are found while loading. */
import type { Exception, PolicyDocument, Product, Rule, Vendor, What } from '../flow.ts';
import type { Config } from './schema.ts';

export interface Warning {
  readonly file: string;
  readonly message: string;
}

function date(at: number): string {
  return new Date(at).toISOString().replace(':00.000Z', 'Z');
}

/** One text for the same subject, however its lists are ordered. */
function subject(entry: Rule | Exception): string {
  const sorted = (list: readonly string[] | undefined): readonly string[] | null => list?.toSorted() ?? null;
  const { vendors, products, channels, tags, domains } = entry.what;
  return JSON.stringify([vendors, products, channels, tags, domains, entry.groups].map(sorted));
}

function ended(policy: PolicyDocument, now: number): string[] {
  const exceptions = policy.exceptions
    .filter(({ until }) => until <= now)
    .map(({ id, until }) => `the exception "${id}" ran out at ${date(until)}; renew or remove it`);
  const rules = policy.rules.flatMap((rule) => {
    const { id, until } = rule;
    if (until === undefined || until > now) return [];
    // A rule that another takes over from is history, not a mistake: counted until a date, denied from it on.
    const next = policy.rules.some((other) => other.from === until && subject(other) === subject(rule));
    return next ? [] : [`the rule "${id}" ended at ${date(until)}; renew or remove it`];
  });
  return [...exceptions, ...rules];
}

/** The entry that keeps another from ever acting: the same subject at least as long, and at least as strong. */
function shadows(above: Rule, below: Rule): boolean {
  const covers =
    (above.from ?? -Infinity) <= (below.from ?? -Infinity) && (above.until ?? Infinity) >= (below.until ?? Infinity);
  return covers && subject(above) === subject(below) && (above.effect === 'deny' || below.effect !== 'deny');
}

function shadowed(rules: readonly Rule[]): string[] {
  return rules.flatMap((rule, i) => {
    const above = rules.slice(0, i).find((earlier) => shadows(earlier, rule));
    return above === undefined
      ? []
      : [`the rule "${rule.id}" never acts: "${above.id}" says it all before; remove one of the two`];
  });
}

function isHostless({ hosts, templates, shared }: Product): boolean {
  return hosts.length + (templates?.length ?? 0) + (shared?.length ?? 0) === 0;
}

/** Every vendor that can have a part in what a product's hosts are asked for. */
function parties(vendor: Vendor, { operator, model, hosts, templates = [] }: Product): readonly (string | null)[] {
  const models = [model, ...[...hosts, ...templates].map((host) => host.model)].filter((one) => one !== undefined);
  const makers = models.flatMap((one) => [
    one.vendor,
    ...one.paths.flatMap((path) => [path.vendor, ...Object.values(path.makers)]),
  ]);
  return [vendor.id, operator ?? null, ...makers];
}

function reachable(what: What, vendor: Vendor, product: Product): boolean {
  const { vendors, products, channels, tags } = what;
  if (isHostless(product)) return false;
  if (vendors !== undefined && !parties(vendor, product).some((id) => id !== null && vendors.includes(id)))
    return false;
  if (products !== undefined && !products.includes(`${vendor.id}/${product.id}`)) return false;
  if (channels !== undefined && !channels.includes(product.channel)) return false;
  const own = [...vendor.tags, ...product.tags, product.kind];
  return tags === undefined || tags.some((tag) => own.includes(tag));
}

function matchNothing(config: Config): string[] {
  const { policy, vendors } = config;
  const usable = ({ what }: Rule | Exception): boolean =>
    (what.vendors ?? what.products ?? what.channels ?? what.tags) === undefined ||
    vendors.some((vendor) => vendor.products.some((product) => reachable(what, vendor, product)));
  const message = (kind: string, { id }: Rule | Exception): string =>
    `the ${kind} "${id}" can match no host of the catalogue: all that it names must hold at once; correct or remove it`;
  return [
    ...policy.rules.filter((rule) => !usable(rule)).map((rule) => message('rule', rule)),
    ...policy.exceptions.filter((entry) => !usable(entry)).map((entry) => message('exception', entry)),
  ];
}

function hostless(vendors: readonly Vendor[]): string[] {
  return vendors.flatMap(({ id, products }) => {
    if (products.length === 0) return [`the vendor "${id}" has no products, so that no host reaches it; add some`];
    return products
      .filter(isHostless)
      .map((product) => `the product "${id}/${product.id}" has no hosts, so that nothing reaches it; add some`);
  });
}

function unreachablePages({ listen, pages }: Config): string[] {
  return /^https?:\/\/(?:0\.0\.0\.0|\[::\])(?::|\/|$)/.test(pages.url)
    ? [
        `pages.url is ${pages.url}, which no browser can open; set it to the name that people reach ${listen.pages.host} by`,
      ]
    : [];
}

/** Everything that looks like a mistake at the instant `now`, epoch milliseconds. */
export function lint(config: Config, now: number): Warning[] {
  const { policy, vendors, file, policyFile } = config;
  return [
    ...unreachablePages(config).map((message) => ({ file, message })),
    ...[...ended(policy, now), ...shadowed(policy.rules), ...matchNothing(config), ...hostless(vendors)].map(
      (message) => ({ file: policyFile, message }),
    ),
  ];
}
