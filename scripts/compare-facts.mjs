/**
 * Holds the catalogue against a file of facts about vendors: prints what was left out, each with its reason, and ends
 * with 1 where one has none. Reasons, and names that differ, are in facts-left-out.yaml beside this file.
 *
 * Usage: node scripts/compare-facts.mjs FACTS.yaml [CATALOGUE-FOLDER]
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { URL } from 'node:url';
import { parse } from 'yaml';
import { samplesOf } from './sample-hosts.mjs';

/**
 * The parts of a facts file that are compared.
 * @typedef {{ match: string, hosts: string[] }} Domains
 * @typedef {{ host: string, match: string, ai_path_prefixes?: string[], ai_headers?: string[] }} SharedHost
 * @typedef {{ host: string, match: string, shared_infrastructure: boolean }} Telemetry
 * @typedef {object} Product
 * @property {string} id
 * @property {Domains[]} [domains]
 * @property {SharedHost[]} [shared_infrastructure]
 * @property {Telemetry[]} [telemetry]
 * @property {{ cidr?: string }[]} [ip_ranges]
 * @property {{ header: string }} [tenant_control]
 * @property {string[]} [client_user_agents]
 * @typedef {{ id: string, products: Product[] }} Vendor
 * @typedef {object} Facts
 * @property {Vendor[]} vendors
 * @property {{ items: { id: string, host: string }[] }} long_tail_providers
 * @property {{ items: { id: string, hosts: string[] }[] }} relay_resellers
 *
 * @typedef {object} Known
 * @property {Record<string, string>} names Facts' `vendor` or `vendor/product` to ours, where it differs.
 * @property {{ what: string[], reason: string }[]} left_out
 */

/**
 * @template T
 * @param {string | URL} file
 * @returns {T}
 */
function readYaml(file) {
  /** @type {unknown} */
  const value = parse(readFileSync(file, 'utf8'));
  return /** @type {T} */ (value);
}

/**
 * @typedef {object} Build
 * @property {typeof import('../src/config/vendors.ts').readVendors} readVendors
 * @property {typeof import('../src/config/vendor-schema.ts').toVendor} toVendor
 * @property {typeof import('../src/decide/match.ts').indexHosts} indexHosts
 * @property {typeof import('../src/identify/services.ts').indexServices} indexServices
 * @property {typeof import('../src/listen/target.ts').parseHost} parseHost
 */
const modules = ['config/vendors', 'config/vendor-schema', 'decide/match', 'identify/services', 'listen/target'];
/** @type {unknown[]} */
const loaded = await Promise.all(modules.map((name) => import(new URL(`../dist/${name}.js`, import.meta.url).href)));
/** @type {unknown} */
const build = Object.assign({}, ...loaded);
const { readVendors, toVendor, indexHosts, indexServices, parseHost } = /** @type {Build} */ (build);

const [factsFile, folder = 'config/vendors'] = process.argv.slice(2);
if (factsFile === undefined) {
  process.stderr.write('compare-facts: name the facts file, as in node scripts/compare-facts.mjs FACTS.yaml\n');
  process.exit(2);
}
/** @type {Facts} */
const facts = readYaml(factsFile);
/** @type {Known} */
const known = readYaml(new URL('facts-left-out.yaml', import.meta.url));

const files = readVendors(folder, null).map(({ vendor }) => vendor);
const find = indexServices(files.map(toVendor), indexHosts);
const byId = new Map(files.map((vendor) => [vendor.id, vendor]));
const shared = files.flatMap((vendor) => vendor.shared);

/** @type {string[]} */
const missing = [];
let compared = 0;
/**
 * @param {boolean} there
 * @param {string} what
 */
function expect(there, what) {
  compared += 1;
  if (!there) missing.push(what);
}

/** @param {string} text */
const example = (text) => text.replaceAll('{region}', 'us-east-1').replaceAll(/\{\w+\}/g, 'acme');

/**
 * Hosts that an entry stands for.
 * @param {string} match
 * @param {string} host
 */
function hostsOf(match, host) {
  if (match === 'regex') return samplesOf(host);
  if (match === 'template') return [example(host)];
  return match === 'suffix' ? [host, `below.${host}`] : [host];
}

/**
 * @param {string} host
 * @param {string | null} [path]
 * @param {readonly string[]} [headers] Each as `Name: value`.
 */
function serviceAt(host, path = null, headers = []) {
  /** @type {Record<string, string>} */
  const fields = {};
  for (const header of headers) {
    const [name = '', value = ''] = header.split(/:\s*/, 2);
    fields[name.toLowerCase()] = value;
  }
  return find(parseHost(host).host, path, fields);
}

/**
 * Whether the host is the vendor's: it runs it, sells on it, or its model answers there.
 * @param {string} host
 * @param {string} vendor
 */
function belongs(host, vendor) {
  const service = serviceAt(host);
  return service !== null && [service.vendor, service.operator, service.model].includes(vendor);
}

/** @param {SharedHost | Telemetry} entry */
function isListed({ host, match }) {
  return shared.some(
    (one) =>
      (match === 'template' ? one.template?.text : undefined) === host ||
      one.host === host ||
      (one.suffix !== undefined && (host === one.suffix || host.endsWith(`.${one.suffix}`))),
  );
}

/** @param {string} id */
const nameOf = (id) => known.names[id] ?? id;

/**
 * @param {Vendor} vendor
 * @param {Product} product
 */
function compareProduct(vendor, product) {
  const name = `${vendor.id}/${product.id}`;
  const [ours = '', id] = nameOf(name).includes('/') ? nameOf(name).split('/') : [nameOf(vendor.id), product.id];
  const owner = byId.get(ours);
  const own = owner?.products.find((one) => one.id === id);
  expect(own !== undefined, `product ${name}`);
  for (const { match, hosts } of product.domains ?? []) {
    for (const host of hosts) {
      const all = hostsOf(match, host).every((one) => belongs(one, ours) || belongs(one, nameOf(vendor.id)));
      expect(all, `host ${host} (${match}) of ${name}`);
    }
  }
  for (const entry of product.shared_infrastructure ?? []) {
    const [host = ''] = hostsOf(entry.match, entry.host);
    expect(isListed(entry) && serviceAt(host) === null, `shared host ${entry.host} of ${name}`);
    for (const path of entry.ai_path_prefixes ?? []) {
      expect(serviceAt(host, example(path), entry.ai_headers) !== null, `path ${entry.host}${path} of ${name}`);
    }
    for (const header of entry.ai_headers ?? []) {
      expect(
        shared.some((one) => one.headers?.includes(header)),
        `header ${header} at ${entry.host} of ${name}`,
      );
    }
  }
  for (const entry of product.telemetry ?? []) {
    const there = entry.shared_infrastructure
      ? isListed(entry) && serviceAt(entry.host) === null
      : serviceAt(entry.host);
    expect(Boolean(there), `telemetry ${entry.host} of ${name}`);
  }
  const products = owner?.products ?? [];
  for (const { cidr } of product.ip_ranges ?? []) {
    if (cidr === undefined) continue;
    const [first = ''] = cidr.split('/');
    expect(belongs(first, ours), `addresses ${cidr} of ${name}`);
  }
  const header = product.tenant_control?.header;
  if (header !== undefined) {
    const there = products.some(({ tenant }) => tenant.some((one) => one.header === header));
    expect(there, `tenant header ${header} of ${name}`);
  }
  const agents = products.flatMap(({ clients }) => clients.flatMap(({ user_agents: given }) => given ?? []));
  for (const agent of product.client_user_agents ?? []) {
    const there = samplesOf(agent.replaceAll('.*', '')).every((text) =>
      agents.some((given) => (given.startsWith('*') ? text.includes(given.slice(1)) : text.startsWith(given))),
    );
    expect(there, `user agent ${agent} of ${name}`);
  }
}

for (const vendor of facts.vendors) {
  expect(byId.has(nameOf(vendor.id)), `vendor ${vendor.id}`);
  for (const product of vendor.products) compareProduct(vendor, product);
}
for (const { id, host } of facts.long_tail_providers.items) expect(serviceAt(host) !== null, `provider ${id}, ${host}`);
for (const { id, hosts } of facts.relay_resellers.items) {
  for (const host of hosts) expect(serviceAt(host)?.channel === 'reseller', `relay ${id}, ${host}`);
}

const reasons = new Map(known.left_out.flatMap(({ what, reason }) => what.map((one) => [one, reason])));
const silent = missing.filter((what) => !reasons.has(what));
const stale = [...reasons.keys()].filter((what) => !missing.includes(what));
const line = (/** @type {string} */ text) => process.stdout.write(`${text}\n`);
for (const what of missing) line(`left out: ${what}: ${reasons.get(what) ?? 'NO REASON IS GIVEN'}`);
for (const what of stale) line(`not left out (any more): ${what}; take it out of facts-left-out.yaml`);
line(`${compared} facts compared, ${missing.length} left out, ${silent.length} of them without a reason`);
process.exitCode = silent.length > 0 || stale.length > 0 ? 1 : 0;
