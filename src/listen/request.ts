/** Where a request goes, by all that it says of it: the request target, `:authority` and Host must be of one mind. */
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

/** All Host fields as sent: Node keeps only the first in `headers`, and the second may name another host. */
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
 * HPACK makes a list of any size of few bytes, and Node.js holds to the limit that we announce only those who say that
 * they have read it (RFC 9113, section 6.5.3).
 */
function checkSize(req: Http2ServerRequest): void {
  let size = 0;
  for (const text of req.rawHeaders) size += text.length;
  if (size > MAX_HEAD) throw new SallyportError('header_too_large', `${size} bytes of fields`);
}

/** More fields than are taken note of; the request line is one of the lines. */
export function hasTooManyLines(req: Request): boolean {
  return req.rawHeaders.length / 2 >= MAX_LINES;
}

/** @throws {SallyportError} `header_too_large` */
export function checkLines(req: Request): void {
  if (hasTooManyLines(req)) throw new SallyportError('header_too_large', `over ${MAX_LINES} lines`);
}

/** RFC 9112, section 6.1: a coding that is not understood, or in HTTP/1.0, leaves the body's end open to two readings. */
function checkFraming(req: Request): void {
  const coding = req.headers['transfer-encoding'];
  if (coding === undefined) return;
  if (req.httpVersion === '1.0') throw new SallyportError('malformed_request', 'Transfer-Encoding in HTTP/1.0');
  if (coding.trim().toLowerCase() !== 'chunked')
    throw new SallyportError('malformed_request', 'Transfer-Encoding is not "chunked"');
}

function requestFacts(req: Request, scheme: RequestFacts['scheme'], path: string): RequestFacts {
  // A fragment is for the client alone (RFC 9112, section 3.2): what stands behind it some read, and some do not.
  if (!/^[!"$-~]+$/.test(path))
    throw new SallyportError('malformed_request', 'the request target is not printable ASCII, or has a fragment');
  const facts = factsOf(req, scheme, path);
  if (facts === null) throw new SallyportError('version_not_supported', `HTTP/${req.httpVersion}`);
  return facts;
}

/**
 * A request on the proxy port: absolute-form. One for https:// is not a proper one, and still has its denial to be told.
 *
 * @throws {SallyportError} saying which check failed.
 */
export function addressPlain(req: IncomingMessage): Addressed {
  checkLines(req);
  const url = req.url ?? '';
  if (url.startsWith('/') || url === '*') throw new SallyportError('not_a_proxy_request');
  const { scheme, authority, target, path } = parseUrl(url);
  // RFC 9112, section 3.2.4: about the server as a whole, which the last proxy asks with an asterisk.
  const whole = req.method === 'OPTIONS' && !/[/?]/.test(url.slice(`${scheme}://`.length));
  const facts = requestFacts(req, scheme, whole ? '*' : path);
  const hosts = hostFields(req);
  if (hosts.length > 1) throw new SallyportError('host_mismatch', 'more than one Host field');
  const [host] = hosts;
  if (host === undefined && facts.httpVersion === '1.1') throw new SallyportError('host_mismatch', 'no Host field');
  // The same text is the same place.
  const elsewhere = host !== undefined && host !== authority;
  if (elsewhere && !sameTarget(parseAuthority(host, scheme === 'http' ? 80 : 443), target))
    throw new SallyportError('host_mismatch');
  checkFraming(req);
  return { target, facts };
}

/**
 * A request inside a tunnel that ended here: it may only be for the name that the tunnel was opened for.
 *
 * @throws {SallyportError} `misdirected_request` where it names another host.
 */
export function addressTunnelled(req: Request, target: Target, scheme: RequestFacts['scheme']): Addressed {
  checkLines(req);
  if ('stream' in req) {
    checkSize(req);
    // The scheme is said once more (RFC 9113, section 8.3.1): another one is another origin.
    if (req.scheme !== scheme) throw new SallyportError('misdirected_request');
  }
  const authorities = hostFields(req);
  const doubled = authorities.length > 1;
  if ('authority' in req && typeof req.authority === 'string' && req.authority !== '') authorities.push(req.authority);
  let path = req.url ?? '';
  // RFC 9112, section 3.2.4: an asterisk is for OPTIONS alone.
  if (!path.startsWith('/') && !(path === '*' && req.method === 'OPTIONS')) {
    const absolute = parseUrl(path);
    if (!sameTarget(absolute.target, target)) throw new SallyportError('misdirected_request');
    path = absolute.path;
  }
  const facts = requestFacts(req, scheme, path);
  for (const authority of authorities) {
    // The same text is the same place, here too: a name is written as it was read.
    if (authority === target.host && target.kind === 'name') continue;
    // Without a port the tunnel's own is meant: nothing goes on from here, and the denial says more than a 421.
    if (!sameTarget(parseAuthority(authority, target.port), target)) throw new SallyportError('misdirected_request');
  }
  if (doubled) throw new SallyportError('host_mismatch', 'more than one Host field');
  checkFraming(req);
  return { target, facts };
}
