/** What is allowed in a configuration but hardly meant. Warnings only; errors are found while loading. */
import type { Exception, PolicyDocument, Product, RiskClass, Rule, Vendor, What } from '../flow.ts';
import { shadowed } from './coverage.ts';
import { lintDomains } from './domain-lint.ts';
import { endOf } from './exception-line.ts';
import type { Config } from './schema.ts';
import { strayStored } from './stored-exceptions.ts';

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
  const { vendors, products, channels, tags, risks, domains, lists } = entry.what;
  const words = [vendors, products, channels, tags, risks, domains, lists, entry.groups, entry.sites];
  return JSON.stringify(words.map(sorted));
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

type Classes = Readonly<Record<string, RiskClass>>;

/** Whether any of the fields of a class names it. */
function isIn({ vendors, products, channels, tags }: RiskClass, vendor: Vendor, product: Product): boolean {
  const own = [...vendor.tags, ...product.tags, product.kind];
  return (
    parties(vendor, product).some((id) => id !== null && vendors?.includes(id) === true) ||
    products?.includes(`${vendor.id}/${product.id}`) === true ||
    channels?.includes(product.channel) === true ||
    tags?.some((tag) => own.includes(tag)) === true
  );
}

function reachable(what: What, classes: Classes, vendor: Vendor, product: Product): boolean {
  const { vendors, products, channels, tags, risks } = what;
  if (isHostless(product)) return false;
  if (vendors !== undefined && !parties(vendor, product).some((id) => id !== null && vendors.includes(id)))
    return false;
  if (products !== undefined && !products.includes(`${vendor.id}/${product.id}`)) return false;
  if (channels !== undefined && !channels.includes(product.channel)) return false;
  if (risks !== undefined && !risks.some((id) => isIn(classes[id] ?? {}, vendor, product))) return false;
  const own = [...vendor.tags, ...product.tags, product.kind];
  return tags === undefined || tags.some((tag) => own.includes(tag));
}

function matchNothing(config: Config): string[] {
  const { policy, vendors } = config;
  const classes = policy.riskClasses ?? {};
  const usable = ({ what }: Rule | Exception): boolean =>
    (what.vendors ?? what.products ?? what.channels ?? what.tags ?? what.risks) === undefined ||
    vendors.some((vendor) => vendor.products.some((product) => reachable(what, classes, vendor, product)));
  const message = (kind: string, { id }: Rule | Exception): string =>
    `the ${kind} "${id}" can match no host of the catalogue: all that it names must hold at once; correct or remove it`;
  return [
    ...policy.rules.filter((rule) => !usable(rule)).map((rule) => message('rule', rule)),
    ...policy.exceptions.filter((entry) => !usable(entry)).map((entry) => message('exception', entry)),
  ];
}

/** A denial for everyone of this part of the catalogue and more is a mode of its own. */
const NEARLY_ALL = 0.9;
/** Of fewer a single rule may well deny all. */
const ENOUGH_PRODUCTS = 20;

function catchAlls({ policy, vendors }: Config): string[] {
  const { rules, defaults, riskClasses = {} } = policy;
  const all = vendors.flatMap((vendor) => vendor.products.map((product) => [vendor, product] as const));
  const wide = rules.filter(({ effect, what, groups, sites }) => {
    if (effect !== 'deny' || what.domains !== undefined || (groups ?? sites) !== undefined) return false;
    const met = all.filter(([vendor, product]) => reachable(what, riskClasses, vendor, product)).length;
    return all.length >= ENOUGH_PRODUCTS && met >= all.length * NEARLY_ALL;
  });
  const open = rules.some(({ effect, what }) => effect === 'allow' && what.domains !== undefined);
  return [
    ...wide.map(
      ({ id }) =>
        `the rule "${id}" denies nearly every AI service to everyone; "mode: sanctioned-only" says so, and what is approved still passes`,
    ),
    ...(defaults.unlisted === 'deny' && !open
      ? [
          'defaults.unlisted denies every host that no rule names, and no rule allows any domain; allow some, or write "allow"',
        ]
      : []),
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
export function lint(given: Config, now: number): Warning[] {
  // What ended in the file of exceptions is history there.
  const config = { ...given, policy: given.policyOfFile };
  const { policy, vendors, file, policyFile } = config;
  const lines = [...config.stored.contents.lines.values()].filter((stored) => endOf(stored) > now);
  return [
    ...strayStored(config.policy, config.vendors, lines).map((message) => ({ file: config.exceptionsFile, message })),
    ...unreachablePages(config).map((message) => ({ file, message })),
    ...[
      ...ended(policy, now),
      ...shadowed(policy.rules),
      ...matchNothing(config),
      ...catchAlls(config),
      ...lintDomains(policy, vendors),
      ...hostless(vendors),
    ].map((message) => ({ file: policyFile, message })),
  ];
}
