/** Which header fields go on, in both directions (RFC 9110, section 7.6.1). */
import type { IncomingMessage } from 'node:http';
import { SallyportError } from '../errors.ts';
import type { RequestArrival, RequestFacts, Target, UpgradeArrival } from '../flow.ts';

/** For one connection only, whoever sends them. `Trailer` is notForwarded by whoever frames the message. */
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
  'authorization',
  'cookie',
  'set-cookie',
  'via',
]);

/** Request fields that are dropped or generated here. `__proto__` is unsafe as a property name. */
const notForwarded = new Set([...hopByHop, 'host', 'via', 'expect', '__proto__']);

/** Methods whose requests have no content unless they say so (RFC 9110, section 8.6). */
const withoutContent = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

/** Only this proxy may send these: an origin could otherwise fake a denial or a failure of the proxy. */
const reserved = new Set(['x-proxy-error', 'x-sallyport-id']);
/** A `Proxy-Status` member with our name (RFC 9209, section 2). Other proxies on the path may add their own. */
const inOurName = /(?:^|,)\s*"?sallyport"?\s*(?:[;,]|$)/i;

/** Fields that a trailer section may not carry (RFC 9110, section 6.5.1): framing, routing, authentication. */
const notInTrailers = new Set([
  ...hopByHop,
  ...notRemovable,
  'cache-control',
  'content-encoding',
  'content-range',
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
  // What nearly every message has: nothing, or a word that names no field.
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return none;
  const names = connection.split(',').map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => name !== '' && !notRemovable.has(name)));
}

/** A length without the zeros before it, which some read as octal. */
function plainLength(length: string): string {
  return length.replace(/^0+(?=\d)/, '');
}

function isFramed(headers: IncomingMessage['headers']): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** The Host of a request to `target`: the port only where it is not the default. */
export function hostField(target: Target, scheme: RequestFacts['scheme']): string {
  const host = target.kind === 'ipv6' ? `[${target.host}]` : target.host;
  return target.port === (scheme === 'http' ? 80 : 443) ? host : `${host}:${target.port}`;
}

function remadeValue({ req }: RequestArrival | UpgradeArrival, name: string, value: string): string {
  // Framing was understood in any spelling; where `chunKed` is not, the body would be a second request.
  if (name === 'transfer-encoding') return 'chunked';
  if (name === 'content-length') return plainLength(value);
  // RFC 9110, section 7.6.2: only here does it mean anything; what is no number is left alone.
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
 * The fields that a request goes on with, as a flat list: `node:http` writes one as it is, where of an object it makes
 * two others first. Framing is notRemovable as it was: a body without it would be a second request.
 *
 * @param unmeasured a body comes whose length nothing says, for which HTTP/1.1 has one way (RFC 9112, section 6.3).
 * @throws {SallyportError} `loop_detected` where this proxy is in `Via` already (RFC 9110, section 7.6.3).
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
 * The fields that a response goes on with, as a flat list in the order and spelling of the origin.
 *
 * @throws {SallyportError} `upstream_protocol_error` where its version or its framing is not understood.
 */
export function responseFields(res: IncomingMessage, via: string): string[] {
  // Node's parser lets status lines of HTTP/2.0 and HTTP/0.9 pass.
  if (res.httpVersion !== '1.1' && res.httpVersion !== '1.0')
    throw new SallyportError('upstream_protocol_error', `an answer in HTTP/${res.httpVersion}`);
  const coding = res.headers['transfer-encoding'];
  // RFC 9112, section 6.1: whoever sends it knows nothing of the framing that it stands for.
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
    // RFC 9110, section 8.6: there is no content that it could be the length of.
    if (lower === 'content-length' && res.statusCode === 204) continue;
    const value = res.rawHeaders[i + 1] ?? '';
    if (isForged(lower, value)) continue;
    fields.push(name, lower === 'content-length' ? plainLength(value) : value);
  }
  fields.push('Via', `${res.httpVersion} ${via}`);
  return fields;
}

/** The trailer fields that may go on, as pairs: none that `Connection` would have taken out of the head. */
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
