/** Determines where a request goes: the request target, `:authority` and Host must agree. */
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { SallyportError } from '../errors.ts';
import type { RequestFacts, Target } from '../flow.ts';
import { factsOf, type Request } from './arrival.ts';
import { MAX_HEAD, MAX_LINES } from './connect-head.ts';
import { parseAuthority, parseUrl } from './target.ts';

export interface Addressed {
  readonly target: Target;
  readonly facts: RequestFacts;
}

/** All Host fields as sent: Node keeps only the first in `headers`, and a second may name another host. */
function hostFields(req: Request): string[] {
  const fields: string[] = [];
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') fields.push(req.rawHeaders[i + 1] ?? '');
  }
  return fields;
}

function sameTarget(a: Target, b: Target): boolean {
  return a.host === b.host && a.port === b.port;
}

/**
 * HPACK can expand a few bytes to a list of any size, and Node.js enforces the limit that we announce only once the
 * client has acknowledged it (RFC 9113, section 6.5.3).
 */
function checkSize(req: Http2ServerRequest): void {
  let size = 0;
  for (const text of req.rawHeaders) size += text.length;
  if (size > MAX_HEAD) throw new SallyportError('header_too_large', `${size} bytes of fields`);
}

/** Whether fields may have been dropped; the request line counts as a line. */
export function hasTooManyLines(req: Request): boolean {
  return req.rawHeaders.length / 2 >= MAX_LINES;
}

/** @throws {SallyportError} `header_too_large` */
export function checkLines(req: Request): void {
  if (hasTooManyLines(req)) throw new SallyportError('header_too_large', `over ${MAX_LINES} lines`);
}

/** Whether the request announces content. Some clients say of every request without any that its length is 0. */
export function announcesContent({ headers }: Request): boolean {
  return (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined;
}

/** HTTP/1.0 has no upgrades, whatever the fields say (RFC 9110, section 7.8). */
export function asksForWebSocket({ headers, httpVersion }: Request): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket' && httpVersion !== '1.0';
}

/** RFC 9112, section 6.1: an unknown transfer coding, or any in HTTP/1.0, makes the end of the body ambiguous. */
function checkFraming(req: Request): void {
  if (asksForWebSocket(req) && announcesContent(req))
    throw new SallyportError('malformed_request', 'an upgrade with content');
  const coding = req.headers['transfer-encoding'];
  if (coding === undefined) return;
  if (req.httpVersion === '1.0') throw new SallyportError('malformed_request', 'Transfer-Encoding in HTTP/1.0');
  if (coding.trim().toLowerCase() !== 'chunked')
    throw new SallyportError('malformed_request', 'Transfer-Encoding is not "chunked"');
}

function requestFacts(req: Request, scheme: RequestFacts['scheme'], path: string): RequestFacts {
  // A fragment is never sent (RFC 9112, section 3.2), and parsers disagree about one that is.
  if (!/^[!"$-~]+$/.test(path))
    throw new SallyportError('malformed_request', 'the request target is not printable ASCII, or has a fragment');
  const facts = factsOf(req, scheme, path);
  if (facts === null) throw new SallyportError('version_not_supported', `HTTP/${req.httpVersion}`);
  return facts;
}

/**
 * A request on the proxy port, in absolute-form. One for https:// is not valid there, but must still get its denial.
 *
 * @throws {SallyportError} saying which check failed.
 */
export function addressPlain(req: IncomingMessage): Addressed {
  checkLines(req);
  const url = req.url ?? '';
  if (url.startsWith('/') || url === '*') throw new SallyportError('not_a_proxy_request');
  const { scheme, authority, target, path } = parseUrl(url);
  // RFC 9112, section 3.2.4: OPTIONS of the server as a whole; the last proxy sends an asterisk.
  const whole = req.method === 'OPTIONS' && !/[/?]/.test(url.slice(`${scheme}://`.length));
  const facts = requestFacts(req, scheme, whole ? '*' : path);
  const hosts = hostFields(req);
  if (hosts.length > 1) throw new SallyportError('host_mismatch', 'more than one Host field');
  const [host] = hosts;
  if (host === undefined && facts.httpVersion === '1.1') throw new SallyportError('host_mismatch', 'no Host field');
  // Equal texts need not be parsed again.
  const elsewhere = host !== undefined && host !== authority;
  if (elsewhere && !sameTarget(parseAuthority(host, scheme === 'http' ? 80 : 443), target))
    throw new SallyportError('host_mismatch');
  checkFraming(req);
  return { target, facts };
}

/**
 * A request inside an intercepted tunnel, which must be for the host of the tunnel.
 *
 * @throws {SallyportError} `misdirected_request` if it names another host.
 */
export function addressTunnelled(req: Request, target: Target, scheme: RequestFacts['scheme']): Addressed {
  checkLines(req);
  if ('stream' in req) {
    checkSize(req);
    // `:scheme` must be the tunnel's (RFC 9113, section 8.3.1); another one is another origin.
    if (req.scheme !== scheme) throw new SallyportError('misdirected_request');
  }
  const authorities = hostFields(req);
  const doubled = authorities.length > 1;
  if ('authority' in req && typeof req.authority === 'string' && req.authority !== '') authorities.push(req.authority);
  let path = req.url ?? '';
  // RFC 9112, section 3.2.4: only OPTIONS may have an asterisk.
  if (!path.startsWith('/') && !(path === '*' && req.method === 'OPTIONS')) {
    const absolute = parseUrl(path);
    const isHere = absolute.scheme === scheme && sameTarget(absolute.target, target);
    if (!isHere) throw new SallyportError('misdirected_request');
    path = absolute.path;
  }
  const facts = requestFacts(req, scheme, path);
  for (const authority of authorities) {
    // Equal texts need not be parsed again.
    if (authority === target.host && target.kind === 'name') continue;
    // Without a port, the tunnel's is assumed: the request is not forwarded, and a denial says more than a 421.
    if (!sameTarget(parseAuthority(authority, target.port), target)) throw new SallyportError('misdirected_request');
  }
  if (doubled) throw new SallyportError('host_mismatch', 'more than one Host field');
  checkFraming(req);
  return { target, facts };
}
