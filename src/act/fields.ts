/** Which header fields are forwarded, in both directions (RFC 9110, section 7.6.1). */
import type { IncomingMessage } from 'node:http';
import { SallyportError } from '../errors.ts';
import type { RequestArrival, RequestFacts, Target, UpgradeArrival } from '../flow.ts';

/** Fields that apply to a single connection. `Trailer` goes with the framing, which is generated anew. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
]);

/** Fields that `Connection` cannot remove: the message would mean something else without them. */
const notRemovable = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'content-encoding',
  'content-range',
  'authorization',
  'cookie',
  'set-cookie',
  'via',
]);

/** Request fields that are dropped or generated here. `__proto__` is unsafe as a property name. */
const notForwarded = new Set([...hopByHop, 'host', 'via', 'expect', '__proto__']);

/** Methods whose requests have no content unless they declare it (RFC 9110, section 8.6). */
const withoutContent = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

/** Only this proxy may send these: an origin could otherwise fake a denial or a failure of the proxy. */
const reserved = new Set(['x-proxy-error', 'x-sallyport-id']);
/** A `Proxy-Status` member with our name (RFC 9209, section 2). Other proxies on the path may add their own. */
const inOurName = /(?:^|,)\s*"?sallyport"?\s*(?:[;,]|$)/i;

/** Fields not allowed in trailers (RFC 9110, section 6.5.1): framing, routing, authentication. */
const notInTrailers = new Set([
  ...hopByHop,
  ...notRemovable,
  'cache-control',
  'expect',
  'location',
  'max-forwards',
  'range',
  'www-authenticate',
]);

function isForged(name: string, value: string): boolean {
  return reserved.has(name) || (name === 'proxy-status' && inOurName.test(value));
}

const none: ReadonlySet<string> = new Set();

function nominated(connection: string | undefined): ReadonlySet<string> {
  // Fast path: nearly every message has no Connection field, or an option that names no field.
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return none;
  const names = connection.split(',').map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => name !== '' && !notRemovable.has(name)));
}

/** Strips leading zeros from a length: some recipients would read it as octal. */
function plainLength(length: string): string {
  return length.replace(/^0+(?=\d)/, '');
}

function isFramed(headers: IncomingMessage['headers']): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** The Host field of a request to `target`; the port is omitted if it is the default. */
export function hostField(target: Target, scheme: RequestFacts['scheme']): string {
  const host = target.kind === 'ipv6' ? `[${target.host}]` : target.host;
  return target.port === (scheme === 'http' ? 80 : 443) ? host : `${host}:${target.port}`;
}

function remadeValue({ req }: RequestArrival | UpgradeArrival, name: string, value: string): string {
  // Node.js accepts any spelling. To an origin that does not accept e.g. `chunKed`, the body would be a second request.
  if (name === 'transfer-encoding') return 'chunked';
  if (name === 'content-length') return plainLength(value);
  // Max-Forwards only applies to OPTIONS and TRACE (RFC 9110, section 7.6.2); TRACE is never forwarded. Values that are
  // not numbers are left alone.
  const hops = name === 'max-forwards' && req.method === 'OPTIONS' && /^\d{1,9}$/.test(value);
  return hops ? String(Number(value) - 1) : value;
}

function viaField({ req }: RequestArrival | UpgradeArrival, via: string): string {
  const before = req.headers.via;
  if (before === undefined) return `${req.httpVersion} ${via}`;
  if (before.split(',').some((hop) => hop.trim().split(' ')[1] === via)) throw new SallyportError('loop_detected');
  return `${before}, ${req.httpVersion} ${via}`;
}

/**
 * The fields of a forwarded request, as a flat list, which `node:http` writes as it is, while it copies an object
 * twice. The framing is kept: a body without it would be taken for a second request.
 *
 * @param unmeasured a body of unknown length follows, so it must be chunked (RFC 9112, section 6.3).
 * @throws {SallyportError} `loop_detected` if `Via` already names this proxy (RFC 9110, section 7.6.3).
 */
export function requestFields(arrival: RequestArrival | UpgradeArrival, via: string, unmeasured = false): string[] {
  const { req, target, facts } = arrival;
  const { headers } = req;
  const dropped = nominated(headers.connection);
  const fields = ['host', hostField(target, facts.scheme)];
  for (const name of Object.keys(headers)) {
    // HTTP/2 pseudo-header fields (RFC 9113, section 8.3.1) become the request line.
    if (notForwarded.has(name) || dropped.has(name) || name.startsWith(':')) continue;
    const value = headers[name];
    if (typeof value === 'string') fields.push(name, remadeValue(arrival, name, value));
    else for (const one of value ?? []) fields.push(name, one);
  }
  fields.push('via', viaField(arrival, via));
  if (unmeasured) fields.push('transfer-encoding', 'chunked');
  else if (!isFramed(headers) && !withoutContent.has(facts.method)) fields.push('content-length', '0');
  return fields;
}

/**
 * The fields of a forwarded response, as a flat list in the origin's order and spelling.
 *
 * @throws {SallyportError} `upstream_protocol_error` if its version or framing is not supported.
 */
export function responseFields(res: IncomingMessage, via: string): string[] {
  // Node's parser accepts HTTP/2.0 and HTTP/0.9 in status lines.
  if (res.httpVersion !== '1.1' && res.httpVersion !== '1.0')
    throw new SallyportError('upstream_protocol_error', `an answer in HTTP/${res.httpVersion}`);
  const coding = res.headers['transfer-encoding'];
  // RFC 9112, section 6.1: Transfer-Encoding in HTTP/1.0 means that the framing is faulty.
  if (coding !== undefined && res.httpVersion === '1.0')
    throw new SallyportError('upstream_protocol_error', 'Transfer-Encoding in an HTTP/1.0 answer');
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked')
    throw new SallyportError('upstream_protocol_error', 'Transfer-Encoding of the answer is not "chunked"');
  const dropped = nominated(res.headers.connection);
  const fields: string[] = [];
  for (let i = 0; i < res.rawHeaders.length; i += 2) {
    const name = res.rawHeaders[i] ?? '';
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || dropped.has(lower) || lower === 'transfer-encoding') continue;
    // A 204 has no content, and must not have Content-Length (RFC 9110, section 8.6).
    if (lower === 'content-length' && res.statusCode === 204) continue;
    const value = res.rawHeaders[i + 1] ?? '';
    if (isForged(lower, value)) continue;
    fields.push(name, lower === 'content-length' ? plainLength(value) : value);
  }
  fields.push('Via', `${res.httpVersion} ${via}`);
  return fields;
}

/** The trailer fields to forward, as pairs; those nominated by `Connection` are dropped, as in the header section. */
export function trailerFields(message: Pick<IncomingMessage, 'headers' | 'rawTrailers'>): [string, string][] {
  if (message.rawTrailers.length === 0) return [];
  const dropped = nominated(message.headers.connection);
  const fields: [string, string][] = [];
  for (let i = 0; i < message.rawTrailers.length; i += 2) {
    const name = message.rawTrailers[i] ?? '';
    const lower = name.toLowerCase();
    const value = message.rawTrailers[i + 1] ?? '';
    if (!notInTrailers.has(lower) && !dropped.has(lower) && !isForged(lower, value)) fields.push([name, value]);
  }
  return fields;
}
