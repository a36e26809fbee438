/** `vendors/<vendor>.yaml`: an AI vendor, its products and their hosts. */
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import type { HostPattern, HostTemplate, Product, SharedPart, Vendor } from '../flow.ts';
import { parseHost } from '../listen/target.ts';
import { modelSchema, toModel } from './model-schema.ts';
import { parseMoment } from './moment.ts';
import { parseCidr } from './network.ts';
import { id, line, oneOrMany, productRef, read, strict } from './scalars.ts';
import { parseTemplate } from './template.ts';

const wire = z.enum([
  'anthropic',
  'openai',
  'gemini',
  'bedrock',
  'azure',
  'mistral',
  'cohere',
  'dashscope',
  'openrouter',
  'huggingface',
  'ollama',
  'assemblyai',
  'perplexity',
  'copilot',
  'amp',
  'augment',
  'qoder',
  'none',
]);

export const channel = z.enum(['direct', 'cloud', 'reseller']);

const kind = z.enum([
  'chat',
  'api',
  'coding-agent',
  'ide',
  'image',
  'video',
  'voice',
  'search',
  'gateway',
  'cloud-resale',
]);

const role = z.enum([
  'app',
  'api',
  'auth',
  'cdn',
  'usercontent',
  'update',
  'telemetry',
  'portal',
  'mcp',
  'ws',
  'voice',
  'staging',
  'docs',
  'shortlink',
  'government',
  'internal',
  'control-plane',
  'hub',
]);

const hostName = read((text) => {
  const { host, kind } = parseHost(text);
  if (kind !== 'name') throw new ConfigError(`"${text}" is an address; write a host name`);
  return host;
});

const template = read((text) => ({ text, patterns: parseTemplate(text) }));

/** A day, kept as written. */
const checked = read((text) => {
  if (parseMoment(text).kind !== 'day') throw new ConfigError(`"${text}" is not a day; write one such as 2026-07-10`);
  return text;
});

/** Where an entry comes from, so that it can be checked again. */
const provenance = {
  source: line,
  /** `verified`: the vendor says so; `list`: a third party does; `own-knowledge`: not looked up. */
  confidence: z.enum(['verified', 'list', 'own-knowledge']),
  checked: checked.optional(),
  note: line.optional(),
};

const hosts = strict({
  /** The host and its subdomains. */
  suffix: oneOrMany(hostName).optional(),
  /** Only the host. */
  exact: oneOrMany(hostName).optional(),
  /** Hosts that vary within a label; see template.ts. */
  template: oneOrMany(template).optional(),
  role,
  wire: wire.optional(),
  model: modelSchema.optional(),
  /** The vendor itself put the host on the Public Suffix List. */
  own_suffix: z.literal(true).optional(),
  ...provenance,
}).refine(
  (entry) => (entry.suffix ?? entry.exact ?? entry.template) !== undefined,
  'a host entry names no host; add "suffix", "exact" or "template"',
);

/** How to recognise the product's own clients and API, for reports and inspection; never proof of a vendor. */
const clients = strict({
  /** Prefixes of the User-Agent; with a leading `*`, text anywhere in it. */
  user_agents: oneOrMany(line).optional(),
  /** Clients that accept only the vendor's own certificate, so that a denial cannot be delivered inside TLS. */
  pinned: oneOrMany(line).optional(),
  ...provenance,
});

const api = strict({
  /** Paths of the API; `*` for one segment or, at the end, for the rest; `{word}` for a segment. */
  paths: oneOrMany(line).optional(),
  /** Names of request headers, or `Name: value`. */
  headers: oneOrMany(line).optional(),
  /** Prefixes of the vendor's API keys. */
  keys: oneOrMany(line).optional(),
  ...provenance,
});

/** A header that a company injects so that only its own accounts of the service work. */
const tenant = strict({
  header: line,
  value: line,
  /** Where it is injected: the host and its subdomains. */
  hosts: oneOrMany(hostName),
  ...provenance,
});

const addresses = strict({ blocks: oneOrMany(read(parseCidr)), ...provenance });

/** The client's own DNS over HTTP, which bypasses the names that a proxy sees. */
const resolvers = strict({ addresses: oneOrMany(read(parseCidr)), ...provenance });

/** Vendors whose models are called by the product's servers, so that denying these vendors has no effect on it. */
const carries = strict({ vendors: oneOrMany(id), ...provenance });

/** Calls without which the product's client shows an error of its own instead of a denial: exact hosts and paths. */
const account = strict({
  hosts: oneOrMany(hostName),
  methods: oneOrMany(z.enum(['GET', 'HEAD', 'POST'])),
  paths: oneOrMany(line.regex(/^\/[^?#]*$/, 'a path must begin with "/" and have no query')),
  ...provenance,
});

const product = strict({
  id,
  name: line,
  kind,
  channel: channel.default('direct'),
  /** The vendor that runs the hosts, if it is another. */
  operator: id.optional(),
  wire: wire.default('none'),
  /** Whose model answers. By default the vendor's own, if it makes and sells models itself. */
  model: modelSchema.optional(),
  tags: z.array(id).default([]),
  note: line.optional(),
  /** Products to whose hosts the product's clients send model calls: denying only this product leaves them these. */
  model_calls: oneOrMany(productRef).optional(),
  hosts: z.array(hosts),
  addresses: z.array(addresses).default([]),
  resolvers: z.array(resolvers).default([]),
  clients: z.array(clients).default([]),
  api: z.array(api).default([]),
  account: z.array(account).default([]),
  tenant: z.array(tenant).default([]),
  carries: z.array(carries).default([]),
});

const markingHeader = read((text) => {
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:\s*\S/.test(text)) return text;
  throw new ConfigError(`"${text}" is not a header field; write Name: value`);
});

/**
 * A host that carries other traffic as well. It is never denied as a whole, only its AI part if that can be recognised.
 */
const shared = strict({
  host: hostName.optional(),
  suffix: hostName.optional(),
  template: template.optional(),
  why: line,
  /** The product that the part belongs to. */
  product: id.optional(),
  /** Path prefixes of the AI part. */
  paths: oneOrMany(line).optional(),
  /** Headers that mark the AI part, as `Name: value`. */
  headers: oneOrMany(markingHeader).optional(),
  ...provenance,
}).refine(
  ({ host, suffix, template }) => [host, suffix, template].filter((given) => given !== undefined).length === 1,
  'a shared entry names one host; write one of "host", "suffix" or "template"',
);

/** ISO 3166-1 alpha-2. */
const country = z.string().regex(/^[A-Z]{2}$/, 'a country is written as two capital letters (ISO 3166-1), such as US');

/** Shared with overlays. */
export const parts = { kind, channel, wire, model: modelSchema, hosts, shared, country };

export const vendorSchema = strict({
  id,
  name: line,
  /** The owning company; left out if unknown. */
  owner: line.optional(),
  /** Country of the company's seat; left out if unknown. */
  country: country.optional(),
  /** Other names that people use; only for suggestions. */
  aliases: z.array(id).default([]),
  tags: z.array(id).default([]),
  /** Facts for a risk assessment. */
  risks: z.array(line).default([]),
  products: z.array(product),
  shared: z.array(shared).default([]),
});

export type VendorFile = z.output<typeof vendorSchema>;
export type ProductFile = VendorFile['products'][number];
type HostsFile = ProductFile['hosts'][number];

function said(entry: HostsFile): Pick<HostPattern, 'role' | 'wire' | 'model'> {
  const { role, wire, model } = entry;
  return { role, ...(wire && { wire }), ...(model && { model: toModel(model) }) };
}

function patterns(entry: HostsFile): HostPattern[] {
  const common = said(entry);
  return [
    ...(entry.suffix ?? []).map((host) => ({ match: 'suffix' as const, host, ...common })),
    ...(entry.exact ?? []).map((host) => ({ match: 'exact' as const, host, ...common })),
  ];
}

function templates(entry: HostsFile): HostTemplate[] {
  const common = said(entry);
  return (entry.template ?? []).flatMap(({ patterns }) => patterns.map((pattern) => ({ ...pattern, ...common })));
}

/** `Name: value` */
function marker(text: string): { readonly name: string; readonly value: string } {
  const colon = text.indexOf(':');
  return { name: text.slice(0, colon).trim().toLowerCase(), value: text.slice(colon + 1).trim() };
}

/** The parts of shared hosts that a path or a header distinguishes. */
function sharedParts(vendor: VendorFile, product: string): SharedPart[] {
  return vendor.shared.flatMap(({ host, suffix, template, paths, headers, product: of }): SharedPart[] => {
    if (of !== product || (paths === undefined && headers === undefined)) return [];
    const part = { paths: paths ?? ['/'], ...(headers !== undefined && { headers: headers.map(marker) }) };
    if (host !== undefined) return [{ match: 'exact', host, ...part }];
    if (suffix !== undefined) return [{ match: 'suffix', host: suffix, ...part }];
    const patterns = template?.patterns ?? [];
    return patterns.map((pattern) => ({ match: 'template', template: { ...pattern, role: 'api' }, ...part }));
  });
}

function toProduct(vendor: VendorFile, file: ProductFile): Product {
  const blocks = file.addresses.flatMap((entry) => entry.blocks);
  const placed = file.hosts.flatMap(templates);
  const shared = sharedParts(vendor, file.id);
  const accountCalls = file.account.flatMap(({ hosts, methods, paths }) =>
    hosts.map((host) => ({ host, methods, paths })),
  );
  return {
    id: file.id,
    name: file.name,
    kind: file.kind,
    channel: file.channel,
    wire: file.wire,
    tags: file.tags,
    hosts: file.hosts.flatMap(patterns),
    ...(placed.length > 0 && { templates: placed }),
    ...(blocks.length > 0 && { addresses: blocks }),
    ...(file.operator !== undefined && { operator: file.operator }),
    ...(file.model !== undefined && { model: toModel(file.model) }),
    ...(shared.length > 0 && { shared }),
    ...(accountCalls.length > 0 && { accountCalls }),
    ...(file.model_calls !== undefined && { modelCalls: file.model_calls }),
  };
}

/** The part of a vendor file that the stations need. */
export function toVendor(file: VendorFile): Vendor {
  return {
    id: file.id,
    name: file.name,
    tags: file.tags,
    products: file.products.map((product) => toProduct(file, product)),
  };
}
