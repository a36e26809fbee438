/**
 * Who may talk to the admin port: nobody whom a web page sent. A page in any browser of the company can make requests
 * to internal addresses; the name in `Host` and the `Origin` and `Sec-Fetch-Site` of the browser give it away.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export interface Refused {
  readonly status: 401 | 403 | 421 | 429;
  readonly text: string;
}

/** So many tries, and then one by one as time goes by. */
export interface TokenAttempts {
  /** False: none is left to the client with this address. */
  readonly take: (address: string) => boolean;
  /** One was not meant to count. */
  readonly giveBack: (address: string) => void;
  /** Hears of each request that came after too many wrong ones. */
  readonly refused: (address: string) => void;
}

export interface HostRules {
  /** Further names that this server is known by, without port. */
  readonly hosts: readonly string[];
  /** The address that it listens on, as it was asked for and as it is. */
  readonly bound: readonly string[];
}

/** The first thing that is wrong with a request's provenance, or null. */
export function checkProvenance(request: IncomingMessage, rules: HostRules): Refused | null {
  const host = request.headers.host ?? '';
  if (headerCount(request, 'host') !== 1 || !isOwnHost(hostOf(host), rules)) {
    return {
      status: 421,
      text: 'The Host header names a different host. Use an address of this host, or add the name to admin.hosts.',
    };
  }
  const site = request.headers['sec-fetch-site'];
  const origin = request.headers.origin;
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (foreignSite || (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)) {
    return { status: 403, text: 'Requests from other web sites are refused.' };
  }
  return null;
}

/**
 * The first thing that is wrong with a request's credentials, or null. A server that only its own machine reaches needs
 * no token; one that others reach refuses everybody until it has one. After too many wrong tokens not even the right one is
 * looked at: whoever guesses must not learn which it is.
 */
export function checkToken(
  request: IncomingMessage,
  token: string | null,
  bound: readonly string[],
  attempts: TokenAttempts,
): Refused | null {
  if (token === null) {
    if (bound.every(isLoopback)) return null;
    return {
      status: 403,
      text: 'This needs a token because the admin port is reachable from other machines. Set admin.token_file.',
    };
  }
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const address = request.socket.remoteAddress ?? '';
  if (given !== undefined && !attempts.take(address)) {
    attempts.refused(address);
    return {
      status: 429,
      text: 'Too many wrong tokens came from this address. Wait a minute, then send the right one.',
    };
  }
  if (given !== undefined && sameText(given, token)) {
    attempts.giveBack(address);
    return null;
  }
  return { status: 401, text: 'This needs the header Authorization: Bearer with the token from admin.token_file.' };
}

/**
 * Rebinding needs a name, so that an address in `Host` is nobody's trick; a server that only its own machine reaches
 * still takes no address but its own.
 */
function isOwnHost(host: string, { hosts, bound }: HostRules): boolean {
  if (host === 'localhost' || isLoopback(host) || bound.includes(host)) return true;
  if (hosts.some((name) => name.toLowerCase() === host)) return true;
  return isIP(host) !== 0 && !bound.every(isLoopback);
}

/** The host of a Host header, lower case, without port and brackets; an empty text where it is none. */
function hostOf(header: string): string {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/\\@?#\s]+))(?::\d{1,5})?$/.exec(header.toLowerCase());
  return parts?.[1] ?? parts?.[2] ?? '';
}

/** Whether only this very machine reaches what listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function headerCount({ rawHeaders }: IncomingMessage, name: string): number {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}

/** Equal in the same time whatever differs: both become digests of one length. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
