/**
 * Keeps web pages away from the admin port. A page in any of the company's browsers can make requests to internal
 * addresses; `Host`, `Origin` and `Sec-Fetch-Site` give such requests away.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export interface Refused {
  readonly status: 401 | 403 | 421 | 429;
  readonly text: string;
}

/** A token bucket of attempts for each client. */
export interface TokenAttempts {
  /** False if the client at this address has no attempt left. */
  readonly take: (address: string) => boolean;
  /** Returns an attempt that should not count. */
  readonly giveBack: (address: string) => void;
  /** Called for each request that is refused after too many wrong tokens. */
  readonly refused: (address: string) => void;
}

export interface HostRules {
  /** Further names of this server, without port. */
  readonly hosts: readonly string[];
  /** The addresses that it listens on, as configured and as bound. */
  readonly bound: readonly string[];
}

/**
 * Paths that load balancers probe, some in HTTP/1.0 without Host, as HAProxy does by default. Browsers always send
 * Host, so no web page can make such a request.
 */
const probes = ['/livez', '/readyz'];

/** The first thing that is wrong with a request's provenance, or null. */
export function checkProvenance(request: IncomingMessage, rules: HostRules): Refused | null {
  const host = request.headers.host ?? '';
  const hosts = headerCount(request, 'host');
  const probe = hosts === 0 && probes.includes(request.url ?? '');
  if (!probe && (hosts !== 1 || !isOwnHost(hostOf(host), rules))) {
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
 * The first thing that is wrong with a request's credentials, or null. A server on loopback needs no token; one that
 * other machines can reach refuses everybody until it has one. After too many wrong tokens the right one is refused as
 * well, so that guessing reveals nothing.
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
 * DNS rebinding needs a name, so an address in `Host` is safe; a server on loopback nevertheless accepts only its own
 * addresses.
 */
function isOwnHost(host: string, { hosts, bound }: HostRules): boolean {
  if (host === 'localhost' || isLoopback(host) || bound.includes(host)) return true;
  if (hosts.some((name) => name.toLowerCase() === host)) return true;
  return isIP(host) !== 0 && !bound.every(isLoopback);
}

/** The host of a Host header in lower case, without port and brackets; empty if the header is invalid. */
export function hostOf(header: string): string {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/\\@?#\s]+))(?::\d{1,5})?$/.exec(header.toLowerCase());
  return parts?.[1] ?? parts?.[2] ?? '';
}

/** Whether only this machine can reach a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function headerCount({ rawHeaders }: IncomingMessage, name: string): number {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}

/** Compares in constant time; the digests have the same length, which `timingSafeEqual` requires. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
