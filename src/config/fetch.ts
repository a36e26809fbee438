/** Fetches over HTTP from servers that may send anything, endlessly. */
import { request as requestPlain } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { rootCertificates } from 'node:tls';
import { createGunzip } from 'node:zlib';

export interface FetchOptions {
  readonly url: string;
  /** Of the existing copy; null if there is none. */
  readonly etag: string | null;
  /** PEM of CAs to trust in addition to the system's; null if there are none. */
  readonly ca: string | null;
  /** Milliseconds in total. */
  readonly timeout?: number;
  /** Aborts the fetch. */
  readonly signal?: AbortSignal;
  /** Limit of the uncompressed content. */
  readonly maxBytes?: number;
  readonly accept?: string;
}

export type Answered = { readonly kind: 'unchanged' } | { readonly kind: 'taken'; readonly etag: string | null };

const MAX_REDIRECTS = 3;

/** The URL for logs, without a query, which may contain a key. */
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

/** Called with the uncompressed content. */
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
    // An error of the content says more than the aborted read that it causes.
    await taken;
    throw error;
  } finally {
    answer.destroy();
  }
}

/** The target of a redirect; null if it is none. A redirect from TLS to HTTP in the clear is refused. */
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
 * Fetches a URL, unless the content still has the entity tag (RFC 9110, section 13.1.2).
 *
 * @param take called once; if it rejects, so does this.
 * @throws {Error} saying what was wrong, without the URL's query.
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
