/** `lists` in policy.yaml: long external lists of domains. */
import { z } from 'zod';
import type { DomainList, PolicyDocument } from '../flow.ts';
import { listFormats } from './list-lines.ts';
import { duration, id, line, strict, webUrl } from './scalars.ts';

const HOUR = 3_600_000;
const MIB = 1024 * 1024;

const list = strict({
  file: line.optional(),
  url: webUrl.optional(),
  /** Path of the last good copy of a fetched list. */
  copy: line.optional(),
  format: z.enum(listFormats).default('auto'),
  refresh: duration.prefault('1d'),
  max_bytes: z
    .number()
    .int()
    .min(1)
    .max(1024 * MIB)
    .default(64 * MIB),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'a SHA-256 is written as 64 hexadecimal digits in lower case')
    .optional(),
})
  .refine(
    ({ file, url }) => (file === undefined) !== (url === undefined),
    'a list comes from one place; write either "file" or "url"',
  )
  .refine(
    ({ copy, url }) => copy === undefined || url !== undefined,
    '"copy" is for lists that are fetched; write "url", or remove it',
  )
  .refine(({ refresh }) => refresh >= HOUR / 60, '"refresh" is less than a minute; write 1m or more');

export const listsSchema = z.record(id, list);

/** @param path makes paths absolute. */
export function toLists(given: z.output<typeof listsSchema>, path: (name: string) => string): DomainList[] {
  return Object.entries(given).map(([id, { file, url, copy, format, refresh, max_bytes: maxBytes, sha256 }]) => ({
    id,
    file: path(file ?? copy ?? `fetched-${id}.list`),
    url: url ?? null,
    format,
    refresh,
    maxBytes,
    sha256: sha256 ?? null,
  }));
}

/** The lists without which less would be denied than the policy says. */
export function listsDenied({ rules }: Pick<PolicyDocument, 'rules'>): ReadonlySet<string> {
  return new Set(rules.flatMap(({ effect, what }) => (effect === 'deny' ? (what.lists ?? []) : [])));
}
