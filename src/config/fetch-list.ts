/** Fetches a domain list into a file, and keeps its entity tag for the next conditional request. */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { temporaryFor } from './durable.ts';
import { fetchBody } from './fetch.ts';

/** Where a copy came from. */
interface Tag {
  readonly etag: string;
  /** Of the copy. */
  readonly sha256: string;
  /** SHA-256 of its URL, which may contain a key: entity tags are specific to a URL. */
  readonly from: string;
}

/** Milliseconds; enough for a million lines over a slow connection. */
const TIMEOUT = 120_000;

function tagFile(copy: string): string {
  return `${copy}.etag`;
}

function hashOf(url: string): string {
  return createHash('sha256').update(url).digest('hex');
}

/** The entity tag that this URL gave for this very copy; null if unknown. */
export function tagOf(copy: string, { url, sha256 }: { readonly url: string; readonly sha256: string }): string | null {
  try {
    const tag = JSON.parse(readFileSync(tagFile(copy), 'utf8')) as Partial<Tag> | null;
    const fits = tag?.sha256 === sha256 && tag.from === hashOf(url);
    return fits && typeof tag.etag === 'string' ? tag.etag : null;
  } catch {
    return null;
  }
}

/** A write error without repeating the path. */
function failedWrite(copy: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  const cure = 'set "copy" of the list to a place that can be written and has room';
  return new Error(`the copy cannot be written to ${copy} (${code}); ${cure}`, { cause: error });
}

/**
 * Fetches into a temporary file next to the copy, and changes nothing else.
 *
 * @returns that file and the entity tag, null if there is none; or `unchanged`.
 * @throws {Error} saying what was wrong.
 */
export async function fetchList(options: {
  readonly url: string;
  readonly etag: string | null;
  readonly copy: string;
  readonly maxBytes: number;
  /** Aborts the fetch. */
  readonly signal: AbortSignal;
}): Promise<
  { readonly kind: 'unchanged' } | { readonly kind: 'taken'; readonly etag: string | null; readonly file: string }
> {
  const { url, etag, copy, maxBytes, signal } = options;
  const file = temporaryFor(copy);
  try {
    const answered = await fetchBody(
      { url, etag, ca: null, maxBytes, timeout: TIMEOUT, signal, accept: 'text/plain, */*' },
      async (body) => {
        const writing = <T>(step: Promise<T>): Promise<T> =>
          step.catch((error: unknown) => {
            throw failedWrite(copy, error);
          });
        const handle = await writing(open(file, 'wx', 0o644));
        try {
          for await (const part of body) await writing(handle.writeFile(part));
          await writing(handle.sync());
        } finally {
          await handle.close();
        }
      },
    );
    return answered.kind === 'taken' ? { ...answered, file } : answered;
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/**
 * Replaces the copy; at any time there is either the old or the new one. Synchronous, so that the list cannot be
 * dropped meanwhile.
 */
export function keepList(
  file: string,
  copy: string,
  { url, etag, sha256 }: { readonly url: string; readonly etag: string | null; readonly sha256: string },
): void {
  try {
    renameSync(file, copy);
    // A missing tag costs a fetch; a tag names its copy, so it is never used for another.
    if (etag === null) rmSync(tagFile(copy), { force: true });
    else writeFileSync(tagFile(copy), `${JSON.stringify({ etag, sha256, from: hashOf(url) } satisfies Tag)}\n`);
  } catch (error) {
    rmSync(file, { force: true });
    throw failedWrite(copy, error);
  }
}
