/** Fetches a domain list into a file, and keeps what is needed to ask next time only for what is new. */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { temporaryFor } from './durable.ts';
import { fetchBody } from './fetch.ts';

/** What a copy was fetched as. */
interface Tag {
  readonly etag: string;
  /** Of the copy that it belongs to. */
  readonly sha256: string;
  /** SHA-256 of the URL that gave it, which may hold a key: no other knows what it means. */
  readonly from: string;
}

/** A list of a million lines, over a slow line. Milliseconds. */
const TIMEOUT = 120_000;

function tagFile(copy: string): string {
  return `${copy}.etag`;
}

function hashOf(url: string): string {
  return createHash('sha256').update(url).digest('hex');
}

/** The entity tag that this URL gave to a copy; null where none is known of just this copy. */
export function tagOf(copy: string, { url, sha256 }: { readonly url: string; readonly sha256: string }): string | null {
  try {
    const tag = JSON.parse(readFileSync(tagFile(copy), 'utf8')) as Partial<Tag> | null;
    const fits = tag?.sha256 === sha256 && tag.from === hashOf(url);
    return fits && typeof tag.etag === 'string' ? tag.etag : null;
  } catch {
    return null;
  }
}

/** What failed with a file, without its path twice. */
function failedWrite(copy: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  const cure = 'set "copy" of the list to a place that can be written and has room';
  return new Error(`the copy cannot be written to ${copy} (${code}); ${cure}`, { cause: error });
}

/**
 * Fetches into a file of its own beside the copy; nothing else is touched.
 *
 * @returns that file and the entity tag, null where the server gives none; or `unchanged`.
 * @throws {Error} with what was wrong.
 */
export async function fetchList(options: {
  readonly url: string;
  readonly etag: string | null;
  readonly copy: string;
  readonly maxBytes: number;
  /** Ends it before. */
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
 * Puts what was fetched in the place of the copy: the one or the other whole, whatever happens meanwhile. Synchronous, so
 * that it is still wanted when it is there.
 */
export function keepList(
  file: string,
  copy: string,
  { url, etag, sha256 }: { readonly url: string; readonly etag: string | null; readonly sha256: string },
): void {
  try {
    renameSync(file, copy);
    // A tag that is missing costs a fetch; it names its copy, so that none can be wrong.
    if (etag === null) rmSync(tagFile(copy), { force: true });
    else writeFileSync(tagFile(copy), `${JSON.stringify({ etag, sha256, from: hashOf(url) } satisfies Tag)}\n`);
  } catch (error) {
    rmSync(file, { force: true });
    throw failedWrite(copy, error);
  }
}
