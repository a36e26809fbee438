/** Fetches a domain list into a file, and keeps what is needed to ask next time only for what is new. */
import { readFileSync, writeFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { fetchBody } from './fetch.ts';

/** What a copy was fetched as. */
interface Tag {
  readonly etag: string;
  /** Of the copy that it belongs to. */
  readonly sha256: string;
}

/** A list of a million lines, over a slow line. Milliseconds. */
const TIMEOUT = 120_000;

function tagFile(copy: string): string {
  return `${copy}.etag`;
}

/** Where a list is fetched to before it is judged. */
export function freshFile(copy: string): string {
  return `${copy}.new`;
}

/** The entity tag of a copy; null where none is known of just this copy. */
export function tagOf(copy: string, sha256: string): string | null {
  try {
    const tag = JSON.parse(readFileSync(tagFile(copy), 'utf8')) as Partial<Tag> | null;
    return tag?.sha256 === sha256 && typeof tag.etag === 'string' ? tag.etag : null;
  } catch {
    return null;
  }
}

/** What failed with a file, without its path twice. */
function failedWrite(copy: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  const cure = 'name a place with room that can be written as "copy" of the list';
  return new Error(`the copy cannot be kept in ${copy} (${code}); ${cure}`, { cause: error });
}

/**
 * Fetches into {@link freshFile}; nothing else is touched.
 *
 * @returns the entity tag, null where the server gives none; or `unchanged`.
 * @throws {Error} with what was wrong.
 */
export async function fetchList(options: {
  readonly url: string;
  readonly etag: string | null;
  readonly copy: string;
  readonly maxBytes: number;
}): Promise<{ readonly kind: 'unchanged' } | { readonly kind: 'taken'; readonly etag: string | null }> {
  const { url, etag, copy, maxBytes } = options;
  const file = freshFile(copy);
  try {
    return await fetchBody(
      { url, etag, ca: null, maxBytes, timeout: TIMEOUT, accept: 'text/plain, */*' },
      async (body) => {
        const writing = <T>(step: Promise<T>): Promise<T> =>
          step.catch((error: unknown) => {
            throw failedWrite(copy, error);
          });
        const handle = await writing(open(file, 'w', 0o644));
        try {
          for await (const part of body) await writing(handle.writeFile(part));
          await writing(handle.sync());
        } finally {
          await handle.close();
        }
      },
    );
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/** Puts what was fetched in the place of the copy: the one or the other whole, whatever happens meanwhile. */
export async function keepList(
  copy: string,
  tag: { readonly etag: string | null; readonly sha256: string },
): Promise<void> {
  try {
    await rename(freshFile(copy), copy);
    // A tag that is missing costs a fetch; it names its copy, so that none can be wrong.
    if (tag.etag === null) await rm(tagFile(copy), { force: true });
    else writeFileSync(tagFile(copy), `${JSON.stringify(tag)}\n`);
  } catch (error) {
    throw failedWrite(copy, error);
  }
}
