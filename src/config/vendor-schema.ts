/** `vendors/<vendor>.yaml`: an AI vendor, its products and their hosts. */
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import type { HostPattern, Vendor } from '../flow.ts';
import { parseHost } from '../listen/target.ts';
import { parseMoment } from './moment.ts';
import { id, line, oneOrMany, read, strict } from './scalars.ts';

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
  'copilot',
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
]);

const hostName = read((text) => {
  const { host, kind } = parseHost(text);
  if (kind !== 'name') throw new ConfigError(`"${text}" is an address; write a host name`);
  return host;
});

/** A day; kept as it is written. */
const checked = read((text) => {
  if (parseMoment(text).kind !== 'day') throw new ConfigError(`"${text}" is not a day; write one such as 2026-07-10`);
  return text;
});

/** Where a line comes from, so that the next person can check it. */
const provenance = {
  source: line,
  /** `verified`: the vendor says so; `list`: a third party does; `own-knowledge`: not looked up. */
  confidence: z.enum(['verified', 'list', 'own-knowledge']),
  checked: checked.optional(),
  note: line.optional(),
};

const hosts = strict({
  /** The host and everything below it, on a label boundary. */
  suffix: oneOrMany(hostName).optional(),
  /** Only the host. */
  exact: oneOrMany(hostName).optional(),
  role,
  wire: wire.optional(),
  ...provenance,
}).refine(
  (entry) => entry.suffix !== undefined || entry.exact !== undefined,
  'a host entry names no host; add "suffix" or "exact"',
);

const product = strict({
  id,
  name: line,
  kind,
  channel: channel.default('direct'),
  wire: wire.default('none'),
  tags: z.array(id).default([]),
  note: line.optional(),
  hosts: z.array(hosts),
});

/** A host that carries other traffic too. It is never denied whole, only the part that is AI, where one can be told. */
const shared = strict({
  host: hostName,
  why: line,
  /** Path prefixes that are the AI part. */
  paths: oneOrMany(line).optional(),
  /** Headers, as `Name: value`, that mark the AI part. */
  headers: oneOrMany(line).optional(),
  ...provenance,
});

export const vendorSchema = strict({
  id,
  name: line,
  /** The company behind it. */
  owner: line,
  /** ISO 3166-1 alpha-2, of the company's seat. */
  country: z.string().regex(/^[A-Z]{2}$/, 'a country is two capital letters (ISO 3166-1), such as US'),
  /** Other names that people use; only for suggestions. */
  aliases: z.array(id).default([]),
  tags: z.array(id).default([]),
  products: z.array(product),
  shared: z.array(shared).default([]),
});

export type VendorFile = z.output<typeof vendorSchema>;

function patterns(entry: z.output<typeof hosts>): HostPattern[] {
  const common = { role: entry.role, wire: entry.wire };
  return [
    ...(entry.suffix ?? []).map((host) => ({ match: 'suffix' as const, host, ...common })),
    ...(entry.exact ?? []).map((host) => ({ match: 'exact' as const, host, ...common })),
  ];
}

/** What the stations need of a vendor file. */
export function toVendor(file: VendorFile): Vendor {
  return {
    id: file.id,
    name: file.name,
    tags: file.tags,
    products: file.products.map((product) => ({
      id: product.id,
      name: product.name,
      kind: product.kind,
      channel: product.channel,
      wire: product.wire,
      tags: product.tags,
      hosts: product.hosts.flatMap(patterns),
    })),
  };
}
