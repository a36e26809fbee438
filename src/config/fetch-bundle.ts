/** Fetches a signed catalogue. */
import { fetchBody } from './fetch.ts';
import type { FetchOptions } from './fetch.ts';

export type Fetched =
  { readonly kind: 'unchanged' } | { readonly kind: 'text'; readonly text: string; readonly etag: string | null };

/**
 * Fetches the text at a URL, unless it still has the given entity tag.
 *
 * @throws {Error} saying what was wrong, without the URL's query.
 */
export async function fetchText(options: FetchOptions): Promise<Fetched> {
  const parts: Buffer[] = [];
  const answered = await fetchBody({ accept: 'application/json', ...options }, async (body) => {
    for await (const part of body) parts.push(part);
  });
  if (answered.kind === 'unchanged') return answered;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
    return { kind: 'text', text, etag: answered.etag };
  } catch {
    throw new Error('it is not UTF-8');
  }
}
