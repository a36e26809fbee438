/**
 * Finds whose model answers a request, from its path or header: the second axis besides the vendor that runs the host.
 */
import type { Model, ModelHeader, ModelPath } from '../flow.ts';
import { segmentsOf } from './path-segments.ts';

/** Prefixes of Bedrock's cross-region inference profiles, before the maker. */
const regions = new Set(['us', 'us-gov', 'eu', 'apac', 'jp', 'au', 'ca', 'sa', 'me', 'global']);

/** No model is named by a path with more segments. */
const MAX_SEGMENTS = 32;

/** Bedrock ARNs that name a model; application profiles, deployments and imports are opaque. */
const arn = /^arn:[a-z-]*:bedrock:[^/]*:(?:foundation-model|inference-profile)\/([^/]+)$/;

/** `us.anthropic.claude-…` and `anthropic.claude-…` to `anthropic`. Names without a maker, and most ARNs, give null. */
function makerOf(modelId: string): string | null {
  if (modelId.startsWith('arn:')) {
    const named = arn.exec(modelId)?.[1];
    return named === undefined ? null : makerOf(named);
  }
  const [first = '', second] = modelId.split('.', 2);
  if (second === undefined) return null;
  return regions.has(first) ? second : first;
}

function match(segments: readonly string[], { segments: pattern, vendor, makers }: ModelPath): string | null {
  const open = pattern.at(-1) === '**';
  const fixed = open ? pattern.slice(0, -1) : pattern;
  if (open ? segments.length < fixed.length : segments.length !== fixed.length) return null;
  let found = vendor;
  for (const [i, part] of fixed.entries()) {
    const segment = segments[i] ?? '';
    if (part === '*') continue;
    if (part === '{maker}' || part === '{model-id}') {
      const word = part === '{maker}' ? segment : makerOf(segment);
      found = word !== null && Object.hasOwn(makers, word) ? (makers[word] ?? null) : null;
      if (found === null) return null;
    } else if (part.endsWith('*') ? !segment.startsWith(part.slice(0, -1)) : part !== segment) return null;
  }
  return found;
}

/** Fields of a request as Node gives them: names in lower case, repeated ones joined by commas. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The vendor whose API a URL is. */
export type VendorAt = (url: URL) => string | null;

/** The vendor that a header names; null if it names two. */
function named({ name, makers }: ModelHeader, fields: Fields, vendorAt: VendorAt): string | null {
  const given = fields[name];
  if (given === undefined) return null;
  const values = (typeof given === 'string' ? given : given.join(',')).split(',').map((value) => value.trim());
  const found = new Set(
    values.map((value) => {
      if (/^https?:\/\//i.test(value)) return URL.canParse(value) ? vendorAt(new URL(value)) : null;
      const [word = ''] = value.toLowerCase().split('/', 1);
      return Object.hasOwn(makers, word) ? (makers[word] ?? null) : null;
    }),
  );
  const [only = null] = found;
  return found.size === 1 ? only : null;
}

/**
 * The vendor of the model that a request reaches, or null if unknown.
 *
 * @param path origin-form with or without query; null if no request has been read.
 * @param fields the request's header; empty if no request has been read.
 */
export function modelVendor(
  model: Model,
  path: string | null,
  fields: Fields = {},
  vendorAt: VendorAt = () => null,
): string | null {
  if (model.vendor !== null) return model.vendor;
  if (path === null) return null;
  const segments = segmentsOf(path);
  if (segments.length > MAX_SEGMENTS) return null;
  for (const pattern of model.paths) {
    const found = match(segments, pattern);
    if (found !== null) return found;
  }
  for (const header of model.headers ?? []) {
    const found = named(header, fields, vendorAt);
    if (found !== null) return found;
  }
  return null;
}
