/** What a line of an access log says, whichever program wrote it. */

export interface AttemptLine {
  readonly kind: 'attempt';
  /** When the request came in, epoch milliseconds. */
  readonly at: number;
  /** The client's address; a name where the log was written with names. */
  readonly client: string;
  readonly user: string | null;
  readonly method: string;
  /** `host:port` of a CONNECT, an absolute URL of everything else. */
  readonly url: string;
  /** The name in the ClientHello, where it was another than that of the CONNECT. */
  readonly serverName: string | null;
  /** The ClientHello bore a public name in the place of one that was encrypted. */
  readonly ech?: boolean | undefined;
  /** The id of this line, and of the tunnel that its request came through. */
  readonly id: string | null;
  readonly tunnel: string | null;
}

/**
 * Lines that are no attempt: `challenge`, a 407 that asked for credentials, whose retry has a line of its own;
 * `no-request`, a connection that never became a request; `inside`, a tunnel whose requests were counted one by one;
 * `outside`, before or after the time that was asked for.
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

/** A user as Squid writes it: percent-encoded, `-` for none. */
export function readUser(text: string): string | null {
  if (text === '-' || text === '') return null;
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What stands for a request in lines of connections that sent none, and of the proxy's own business. */
const noRequests = /^(?:-|error:.*|cache_object:.*|(?:internal|none|urn|ftp|gopher|wais|whois):.*|\/)$/i;

export function isNoRequest(method: string, url: string): boolean {
  return method === '-' || method === 'NONE' || noRequests.test(url);
}
