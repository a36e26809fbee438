/** Which header fields go on, in both directions (RFC 9110, section 7.6.1). */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { SallyportError } from '../errors.ts';
import type { RequestArrival, RequestFacts, Target, UpgradeArrival } from '../flow.ts';

/** For one connection only, whoever sends them. `Trailer` is remade by whoever frames the message. */
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

/** Fields that `Connection` cannot take away: without them the message is another one. */
const kept = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'authorization',
  'cookie',
  'set-cookie',
  'via',
]);

/** Fields that a trailer section may not carry (RFC 9110, section 6.5.1): framing, routing, authentication. */
const notInTrailers = new Set([
  ...hopByHop,
  ...kept,
  'cache-control',
  'content-encoding',
  'content-range',
  'expect',
  'location',
  'max-forwards',
  'range',
  'www-authenticate',
]);

function nominated(connection: string | undefined): ReadonlySet<string> {
  const names = (connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => name !== '' && !kept.has(name)));
}

/** The Host of a request to `target`: the port only where it is not the default. */
export function hostField(target: Target, scheme: RequestFacts['scheme']): string {
  const host = target.kind === 'ipv6' ? `[${target.host}]` : target.host;
  return target.port === (scheme === 'http' ? 80 : 443) ? host : `${host}:${target.port}`;
}

/**
 * The fields that a request goes on with. Framing is kept as it was: a body without it would be a second request.
 *
 * @throws {SallyportError} `loop_detected` where this proxy is in `Via` already (RFC 9110, section 7.6.3).
 */
export function requestFields(
  { req, target, facts }: RequestArrival | UpgradeArrival,
  via: string,
): IncomingHttpHeaders {
  const dropped = nominated(req.headers.connection);
  const fields: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(req.headers)) {
    // The pseudo-header fields of HTTP/2 (RFC 9113, section 8.3.1) are the request line here.
    if (hopByHop.has(name) || dropped.has(name) || name.startsWith(':')) continue;
    if (name !== 'expect' && name !== '__proto__') fields[name] = value;
  }
  const before = req.headers.via;
  if (before?.split(',').some((hop) => hop.trim().split(' ')[1] === via) === true)
    throw new SallyportError('loop_detected');
  fields.via = before === undefined ? `${req.httpVersion} ${via}` : `${before}, ${req.httpVersion} ${via}`;
  fields.host = hostField(target, facts.scheme);
  // RFC 9110, section 7.6.2: only here does it mean anything; what is no number is left alone.
  const hops = req.headers['max-forwards']?.toString() ?? '';
  if (req.method === 'OPTIONS' && /^\d{1,9}$/.test(hops)) fields['max-forwards'] = String(Number(hops) - 1);
  return fields;
}

/**
 * The fields that a response goes on with, as a flat list in the order and spelling of the origin.
 *
 * @throws {SallyportError} `upstream_protocol_error` where its framing is not understood.
 */
export function responseFields(res: IncomingMessage, via: string): string[] {
  const coding = res.headers['transfer-encoding'];
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
    fields.push(name, res.rawHeaders[i + 1] ?? '');
  }
  fields.push('Via', `${res.httpVersion} ${via}`);
  return fields;
}

/** The trailer fields that may go on, as pairs. */
export function trailerFields(message: Pick<IncomingMessage, 'rawTrailers'>): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i < message.rawTrailers.length; i += 2) {
    const name = message.rawTrailers[i] ?? '';
    if (!notInTrailers.has(name.toLowerCase())) fields.push([name, message.rawTrailers[i + 1] ?? '']);
  }
  return fields;
}
