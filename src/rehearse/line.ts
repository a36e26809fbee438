/** The content of an access log line in any format. */

export interface AttemptLine {
  readonly kind: 'attempt';
  /** When the request arrived, epoch milliseconds. */
  readonly at: number;
  /** The client's address, or its name if the log has names. */
  readonly client: string;
  readonly user: string | null;
  readonly method: string;
  /** `host:port` for a CONNECT, otherwise an absolute URL. */
  readonly url: string;
  /** The name in the ClientHello if it differed from the CONNECT's host. */
  readonly serverName: string | null;
  /** Whether the ClientHello had only a public name, which may stand for an encrypted one. */
  readonly ech?: boolean | undefined;
  /** The ids of this attempt and of the tunnel that its request came through. */
  readonly id: string | null;
  readonly tunnel: string | null;
}

/**
 * Lines that are not counted as attempts: `challenge`, a 407, whose retry has its own line; `no-request`, a connection
 * without a request; `inside`, a tunnel whose requests are counted instead; `outside`, before or after the requested
 * period.
 */
export type Skipped = 'challenge' | 'no-request' | 'inside' | 'outside';

export type Line =
  AttemptLine | { readonly kind: 'skipped'; readonly why: Skipped } | { readonly kind: 'bad'; readonly why: string };

export type ReadLine = (text: string) => Line;

export function bad(why: string): Line {
  return { kind: 'bad', why };
}

export const challenge: Line = { kind: 'skipped', why: 'challenge' };
export const noRequest: Line = { kind: 'skipped', why: 'no-request' };

/** Reads a user as Squid writes it: percent-encoded, `-` for none. */
export function readUser(text: string): string | null {
  if (text === '-' || text === '') return null;
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** URLs in lines about connections without a request, and about the proxy's own operations. */
const noRequests = /^(?:-|error:.*|cache_object:.*|(?:internal|none|urn|ftp|gopher|wais|whois):.*|\/)$/i;

export function isNoRequest(method: string, url: string): boolean {
  return method === '-' || method === 'NONE' || noRequests.test(url);
}
