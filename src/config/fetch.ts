/** Fetches what may come from anywhere, may never end, and may not be what it says it is. */
import { request as requestPlain } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { rootCertificates } from 'node:tls';
import { createGunzip } from 'node:zlib';

export interface FetchOptions {
  readonly url: string;
  /** Of the copy that is there already; null: there is none. */
  readonly etag: string | null;
  /** PEM of authorities to trust besides the system's; null: none. */
  readonly ca: string | null;
  /** Milliseconds for all of it. */
  readonly timeout?: number;
  /** Ends it before; left out: nobody does. */
  readonly signal?: AbortSignal;
  /** Of the content, unpacked. */
  readonly maxBytes?: number;
  readonly accept?: string;
}

export type Answered = { readonly kind: 'unchanged' } | { readonly kind: 'taken'; readonly etag: string | null };

const MAX_REDIRECTS = 3;

/** The URL as it may be logged: a query can hold a key. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function open(url: string, options: FetchOptions, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = {
      Accept: options.accept ?? '*/*',
      'Accept-Encoding': 'gzip',
      'User-Agent': 'sallyport',
      ...(options.etag !== null && { 'If-None-Match': options.etag }),
    };
    const tls = url.startsWith('https:');
    const outgoing = tls
      ? requestTls(
          url,
          { headers, signal, agent: false, ...(options.ca !== null && { ca: [...rootCertificates, options.ca] }) },
          resolve,
        )
      : requestPlain(url, { headers, signal, agent: false }, resolve);
    outgoing.on('error', reject).end();
  });
}

async function* bounded(source: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const part of source) {
    size += part.length;
    if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    yield part;
  }
}

/** Hears of the unpacked content, part by part. */
export type TakeBody = (body: AsyncIterable<Buffer>) => Promise<void>;

async function takeBody(answer: IncomingMessage, maxBytes: number, take: TakeBody): Promise<void> {
  const { 'content-encoding': encoding = 'identity' } = answer.headers;
  let taken: Promise<void> | undefined;
  const bound = (source: AsyncIterable<Buffer>): Promise<void> => (taken = take(bounded(source, maxBytes)));
  try {
    if (encoding === 'gzip') await pipeline(answer, createGunzip(), bound);
    else if (encoding === 'identity') await pipeline(answer, bound);
    else throw new Error(`it is encoded as ${JSON.stringify(encoding)}, which was not requested`);
  } catch (error) {
    // What is wrong with the content says more than that nobody reads on.
    await taken;
    throw error;
  } finally {
    answer.destroy();
  }
}

/** Where a redirect leads; null where it is none. Nobody is led from TLS into the clear. */
function redirected(answer: IncomingMessage, from: string): string | null {
  const { statusCode = 0, headers } = answer;
  if (![301, 302, 303, 307, 308].includes(statusCode)) return null;
  const { location = '' } = headers;
  const to = URL.canParse(location, from) ? new URL(location, from).href : '';
  if (!to.startsWith('https:') && !(to.startsWith('http:') && from.startsWith('http:'))) {
    throw new Error('it redirects to a URL that may not be followed');
  }
  return to;
}

/**
 * Fetches what is behind a URL, unless it is what the entity tag names (RFC 9110, section 13.1.2).
 *
 * @param take is asked once, and where it rejects, so does this.
 * @throws {Error} with what was wrong, in words that hold no part of the URL's query.
 */
export async function fetchBody(options: FetchOptions, take: TakeBody): Promise<Answered> {
  const { timeout = 30_000, maxBytes = 16 * 1024 * 1024 } = options;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const timer = setTimeout(end, timeout).unref();
  options.signal?.addEventListener('abort', end);
  try {
    options.signal?.throwIfAborted();
    let { url } = options;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const answer = await open(url, options, ending.signal);
      const next = redirected(answer, url);
      if (next !== null) {
        answer.destroy();
        url = next;
        continue;
      }
      const { statusCode = 0, headers } = answer;
      if (statusCode === 304 && options.etag !== null) {
        answer.resume();
        return { kind: 'unchanged' };
      }
      if (statusCode !== 200) {
        answer.destroy();
        throw new Error(`the server answered with status ${statusCode}`);
      }
      await takeBody(answer, maxBytes, take);
      return { kind: 'taken', etag: headers.etag ?? null };
    }
    throw new Error(`it redirects more than ${MAX_REDIRECTS} times`);
  } catch (error) {
    if (options.signal?.aborted === true) throw new Error('nobody wants it any more', { cause: error });
    if (ending.signal.aborted) throw new Error(`it did not end within ${timeout / 1000} s`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', end);
  }
}
