/** `model:` in a vendor file: whose model answers behind a host, or how that is determined. */
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import type { Model, ModelPath } from '../flow.ts';
import { id, line, read, strict } from './scalars.ts';

const places = ['{maker}', '{model-id}'];

/** The segments of a path pattern. */
const segments = read((text) => {
  if (!text.startsWith('/')) throw new ConfigError(`"${text}" is not a path; begin it with /`);
  const parts = text.slice(1).split('/');
  for (const [i, part] of parts.entries()) {
    if (part === '**' && i === parts.length - 1) continue;
    if (part === '*' || places.includes(part) || /^[^{}*?#]+\*?$/.test(part)) continue;
    throw new ConfigError(
      `"${part}" is not a path segment; write text, text*, *, {maker}, {model-id}, or ** at the end`,
    );
  }
  return parts;
});

const path = strict({
  path: segments,
  /** The vendor, if the fixed part of the path determines it. */
  vendor: id.optional(),
  /** The channel's names of makers, to vendor ids. */
  makers: z.record(z.string(), id).optional(),
}).refine(
  ({ path, vendor, makers }) =>
    path.some((part) => places.includes(part)) ? makers !== undefined && vendor === undefined : vendor !== undefined,
  'a path with {maker} or {model-id} needs "makers", one without needs "vendor"',
);

const header = strict({
  name: line,
  /** The channel's names of makers, to vendor ids. A URL needs none: its host determines the vendor. */
  makers: z.record(z.string(), id).default({}),
});

const told = strict({
  by: z.enum(['path', 'header', 'body', 'nothing']),
  paths: z.array(path).default([]),
  headers: z.array(header).default([]),
});

/** A vendor id if the host determines it, otherwise how it is determined. */
export const modelSchema = z.union([id, told], {
  error: (issue) =>
    typeof issue.input === 'string' || typeof issue.input === 'object'
      ? undefined
      : '"model" must be a vendor id, or a mapping with "by"; correct it',
});

export type ModelFile = z.output<typeof modelSchema>;

export function toModel(file: ModelFile): Model {
  if (typeof file === 'string') return { by: 'host', vendor: file, paths: [] };
  const paths = file.paths.map(({ path, vendor, makers }): ModelPath => ({
    segments: path,
    vendor: vendor ?? null,
    makers: makers ?? {},
  }));
  const headers = file.headers.map(({ name, makers }) => ({
    name: name.toLowerCase(),
    makers: Object.fromEntries(Object.entries(makers).map(([word, vendor]) => [word.toLowerCase(), vendor])),
  }));
  return { by: file.by, vendor: null, paths, ...(headers.length > 0 && { headers }) };
}

/** Every vendor that the entry names, to find misspelt ones. */
export function vendorsOf(file: ModelFile): string[] {
  if (typeof file === 'string') return [file];
  const byPath = file.paths.flatMap(({ vendor, makers }) => [
    ...(vendor === undefined ? [] : [vendor]),
    ...Object.values(makers ?? {}),
  ]);
  return [...byPath, ...file.headers.flatMap(({ makers }) => Object.values(makers))];
}
