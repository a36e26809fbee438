/** Warns of entries whose fields exclude each other, so that they never apply: all fields of an entry must match. */
import { isIP } from 'node:net';
import type { AssistantChoice, Exception, Group, PolicyDocument, Product, Rule, Site, Vendor, What } from '../flow.ts';
import { parents } from './domain-lint.ts';
import { overlap } from './network.ts';
import type { Finding, Path } from './problem.ts';
import { reachable } from './reach.ts';

interface Named {
  readonly entry: Rule | Exception | AssistantChoice;
  /** `a rule`. */
  readonly one: string;
  /** `the rule "x"`. */
  readonly name: string;
  readonly path: Path;
}

function kindOf(one: string): string {
  return one.slice(one.indexOf(' ') + 1);
}

function entriesOf({ rules, exceptions, assistantFor = [] }: PolicyDocument): Named[] {
  const identified = (one: 'a rule' | 'an exception', entries: readonly (Rule | Exception)[]): Named[] => {
    const kind = kindOf(one);
    return entries.map((entry, i) => ({ entry, one, name: `the ${kind} "${entry.id}"`, path: [`${kind}s`, i] }));
  };
  return [
    ...assistantFor.map((entry, i) => ({
      entry,
      one: 'a choice',
      name: `the choice ${i + 1} of assistant_for`,
      path: ['assistant_for', i],
    })),
    ...identified('a rule', rules),
    ...identified('an exception', exceptions),
  ];
}

const serviceFields = ['vendors', 'products', 'tags', 'risks', 'channels'] as const satisfies readonly (keyof What)[];

interface Met {
  readonly vendor: Vendor;
  readonly product: Product;
}

/** Names of the hosts of some products. */
interface Hosts {
  /** Exact names and suffixes. */
  readonly at: ReadonlySet<string>;
  /** Suffixes, and names before a placeholder. */
  readonly above: ReadonlySet<string>;
  /** Names that have such a host below them. */
  readonly below: ReadonlySet<string>;
}

function hostsOf(products: readonly Met[]): Hosts {
  const suffixes = new Set<string>();
  const at = new Set<string>();
  for (const { product } of products) {
    for (const { match, host } of product.hosts) (match === 'exact' ? at : suffixes).add(host);
    for (const { tail } of product.templates ?? []) suffixes.add(tail);
    for (const part of product.shared ?? []) suffixes.add(part.match === 'template' ? part.template.tail : part.host);
  }
  for (const suffix of suffixes) at.add(suffix);
  return { at, above: suffixes, below: new Set([...at].flatMap(parents)) };
}

/** Whether a pattern and any of the hosts have a name in common. */
function meets(pattern: string, { at, above, below }: Hosts): boolean {
  const isExact = pattern.startsWith('=');
  const name = isExact ? pattern.slice(1) : pattern;
  // Address blocks are checked when a name is resolved.
  if (isIP(name) !== 0) return true;
  return at.has(name) || parents(name).some((parent) => above.has(parent)) || (!isExact && below.has(name));
}

/** Describes what the catalogue knows of a pattern. */
type Describe = (pattern: string) => string;

function describer(products: readonly Met[]): Describe {
  const found = products.map((one) => ({ ref: `${one.vendor.id}/${one.product.id}`, hosts: hostsOf([one]) }));
  const index = (name: keyof Hosts): ReadonlyMap<string, string> =>
    new Map(found.flatMap(({ ref, hosts }) => [...hosts[name]].map((host): [string, string] => [host, ref])));
  const [at, above, below] = [index('at'), index('above'), index('below')];
  return (pattern) => {
    const name = pattern.replace(/^=/, '');
    const covering = parents(name).find((parent) => above.has(parent)) ?? '';
    const owner = at.get(name) ?? above.get(covering);
    if (owner !== undefined) return `is a host of ${owner}`;
    const within = below.get(pattern);
    return within === undefined ? 'is no host of the catalogue' : `has hosts of ${within} below it`;
  };
}

/** Domains of hosts that the other fields exclude: mostly two subjects that should be separate rules. */
function foreignDomains({ entry, one, name, path }: Named, own: Hosts, describe: Describe): Finding[] {
  const beside = serviceFields.filter((field) => entry.what[field] !== undefined);
  const fields = beside.map((field) => `"${field}"`).join(' and ');
  const kind = kindOf(one);
  return (entry.what.domains ?? []).flatMap((domain, i) => {
    if (meets(domain, own)) return [];
    const message = `${name}: "${domain}" ${describe(domain)}, but the ${kind}'s ${fields} must hold as well, so the domain matches nothing; give it ${one} of its own`;
    return [{ path: [...path, 'domains', i], message }];
  });
}

/** A site consists of networks, so only clients with an address there can be at it. */
function meet({ networks, users, forwarded }: Group, site: Site): boolean {
  if (users.length + forwarded.length > 0) return true;
  return networks.some((network) => site.networks.some((other) => overlap(network, other)));
}

function forNobody({ entry, name, path }: Named, { groups: known, sites: places = {} }: PolicyDocument): Finding[] {
  const { groups = [], sites = [] } = entry;
  if (groups.length === 0 || sites.length === 0) return [];
  const isMet = groups.some((group) =>
    sites.some((site) => {
      const [people, place] = [known[group], places[site]];
      return people === undefined || place === undefined || meet(people, place);
    }),
  );
  if (isMet) return [];
  const message = `${name} is for nobody: no network of the group ${groups.join(' or ')} lies at the site ${sites.join(' or ')}, and a client must be in one of the groups and at one of the sites; correct the networks, or write a rule for each`;
  return [{ path, message }];
}

/** One finding for each entry, or for each domain of one, that can never apply. */
export function lintContradictions(policy: PolicyDocument, vendors: readonly Vendor[]): Finding[] {
  const all = vendors.flatMap((vendor) => vendor.products.map((product) => ({ vendor, product })));
  let known: Describe | null = null;
  const describe: Describe = (pattern) => (known ??= describer(all))(pattern);
  const ofService = (named: Named): Finding[] => {
    const { what } = named.entry;
    if (serviceFields.every((field) => what[field] === undefined)) return [];
    const met = all.filter(({ vendor, product }) => reachable(what, policy.riskClasses ?? {}, vendor, product));
    if (met.length > 0) return what.domains === undefined ? [] : foreignDomains(named, hostsOf(met), describe);
    const message = `${named.name} can match no host of the catalogue: everything that it names must hold at once; correct or remove it`;
    return [{ path: named.path, message }];
  };
  return entriesOf(policy).flatMap((named) => [...ofService(named), ...forNobody(named, policy)]);
}
