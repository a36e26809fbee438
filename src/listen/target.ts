/**
 * The only parser for hosts, ports and URL authorities: what is decided, logged and dialled comes from this file.
 *
 * It accepts what resolvers and browsers accept as a host and converts it to one canonical form (WHATWG URL, host
 * parsing: UTS 46, IPv4 in its unusual spellings). It refuses what two parsers could read differently:
 * percent-encoding, user information, zone ids, control characters, empty labels.
 */
import { LRUCache } from 'lru-cache';
import { isIPv6 } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { SallyportError } from '../errors.ts';
import type { HostKind, Hostname, Target } from '../flow.ts';
import { canonicalIpv6, mappedIpv4 } from '../ip.ts';
import { inOnePiece } from '../in-one-piece.ts';

export interface Host {
  readonly host: Hostname;
  readonly kind: HostKind;
}

export interface ParsedUrl {
  readonly scheme: 'http' | 'https';
  /** As it was sent. */
  readonly authority: string;
  readonly target: Target;
  /** Origin-form: path and query, never empty (RFC 9112, section 3.2.1). */
  readonly path: string;
}

/** Names that need no conversion: lower-case labels, the last of which cannot be read as a number. */
const plainName = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z](?:[a-z0-9-]{0,62})$/;
const foldedName = /^[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*$/;
const ipv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
/** Delimiters of a URL, percent signs and characters that a terminal or a log would not show literally. */
const forbidden = /[\p{Cc}\s%/\\?#@<>^|[\]:*"'`{}(),;&=+!$~]/u;

const MAX_NAME = 253;

/** Authorities that were read before: clients connect to the same hosts again and again. Only short ones are kept. */
const known = new LRUCache<string, Target>({ max: 4_096 });
const ORDINARY = 128;

function invalid(what: string): SallyportError {
  return new SallyportError('invalid_target', what);
}

/** The start of a path, query or fragment, which may be secret and must not be logged. */
const behindHost = /[?#]|(?<![:/])\/(?!\/)/;
const SHOWN = 80;

/** The part of the input to quote in an error: shortened, printable, without secrets. */
function shown(text: string): string {
  const head = text.slice(text.lastIndexOf('@') + 1);
  const end = head.search(behindHost);
  const cut = Math.min(end === -1 ? Infinity : end + 1, SHOWN);
  return JSON.stringify(cut < head.length ? `${head.slice(0, cut)}…` : head);
}

function readIpv6(text: string): Host {
  if (!isIPv6(text) || text.includes('%'))
    throw invalid(`${shown(text)} is not an IPv6 address (zone ids are not allowed)`);
  const canonical = canonicalIpv6(text);
  const ipv4 = mappedIpv4(canonical);
  if (ipv4 === null) return { host: canonical as Hostname, kind: 'ipv6' };
  return { host: ipv4 as Hostname, kind: 'ipv4' };
}

/** Newer releases of Node pass ASCII through `domainToASCII` unchecked, so invalid Punycode has to be found here. */
function checkAces(name: string): void {
  const unicode = domainToUnicode(name);
  const broken = unicode.split('.').some((label) => label.startsWith('xn--'));
  if (broken || domainToASCII(unicode) !== name) throw invalid(`${shown(name)} has a label that is not valid Punycode`);
}

/**
 * Reads a host: a name in any case or script, with or without one trailing dot; an IPv4 address in any spelling that
 * resolvers accept; or an IPv6 address with or without brackets. IPv4-mapped IPv6 becomes IPv4.
 *
 * @throws {SallyportError} `invalid_target`, saying what is wrong.
 */
export function parseHost(text: string): Host {
  if (text.length <= MAX_NAME && plainName.test(text) && !text.includes('xn--')) {
    return { host: text as Hostname, kind: 'name' };
  }
  if (text === '') throw invalid('the host is empty');
  if (text.length > 1024) throw invalid(`the host is ${text.length} characters long; names have at most ${MAX_NAME}`);
  if (text.startsWith('[') && text.endsWith(']')) return readIpv6(text.slice(1, -1));
  if (isIPv6(text)) return readIpv6(text);
  if (forbidden.test(text)) throw invalid(`${shown(text)} has a character that is not allowed in host names`);
  const folded = domainToASCII(text);
  const name = folded.endsWith('.') ? folded.slice(0, -1) : folded;
  if (ipv4.test(name)) return { host: name as Hostname, kind: 'ipv4' };
  if (name.length > MAX_NAME) throw invalid(`the host is ${name.length} octets long; names have at most ${MAX_NAME}`);
  if (!foldedName.test(name)) throw invalid(`${shown(text)} is not a host name`);
  if (name.includes('xn--')) checkAces(name);
  return { host: name as Hostname, kind: 'name' };
}

function parsePort(text: string): number {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw invalid(`${shown(text)} is not a port; ports are 1 to 65535`);
  return port;
}

function readAuthority(text: string, defaultPort: number | undefined): Target {
  if (text.includes('@')) throw invalid('user information is not allowed in a target');
  const colon = text.lastIndexOf(':');
  const hasPort = colon > text.lastIndexOf(']') && colon !== -1;
  const hostText = hasPort ? text.slice(0, colon) : text;
  const portText = hasPort ? text.slice(colon + 1) : '';
  if (hostText.includes(':') && !hostText.startsWith('[')) throw invalid('an IPv6 address needs brackets');
  // Only IPv6 may have brackets, and here it must: "::1:1" would be ambiguous.
  const { host, kind } = parseHost(hostText);
  if (portText !== '') return { host, kind, port: parsePort(portText) };
  if (defaultPort === undefined) throw invalid(`${shown(text)} has no port`);
  return { host, kind, port: defaultPort };
}

/**
 * Reads `host:port` (RFC 9112, section 3.2.3). Without `defaultPort` the port is required.
 *
 * @throws {SallyportError} `invalid_target`, saying what is wrong.
 */
export function parseAuthority(text: string, defaultPort?: number): Target {
  // With a default port, the same text may be two targets.
  if (defaultPort !== undefined || text.length > ORDINARY) return readAuthority(text, defaultPort);
  const before = known.get(text);
  if (before !== undefined) return before;
  // Copied: a slice of the head would keep all of it in memory.
  const own = inOnePiece(text);
  const target = Object.freeze(readAuthority(own, undefined));
  known.set(own, target);
  return target;
}

/**
 * Reads an absolute URL with the scheme http or https (RFC 9112, section 3.2.2).
 *
 * @throws {SallyportError} `invalid_target` or `unsupported_scheme`.
 */
export function parseUrl(text: string): ParsedUrl {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw invalid(`${shown(text)} is not an absolute URL`);
  if (scheme !== 'http' && scheme !== 'https')
    throw new SallyportError('unsupported_scheme', `scheme ${shown(scheme)}`);
  const rest = text.slice(scheme.length + 1);
  if (!rest.startsWith('//')) throw invalid(`${shown(text)} names no host`);
  if (text.includes('#')) throw invalid('a request target has no fragment');
  const end = rest.slice(2).search(/[/?]/);
  const authority = end === -1 ? rest.slice(2) : rest.slice(2, end + 2);
  const path = end === -1 ? '/' : rest.slice(end + 2);
  const target = parseAuthority(authority, scheme === 'http' ? 80 : 443);
  return { scheme, authority, target, path: path.startsWith('/') ? path : `/${path}` };
}

/** `host:port`, with brackets around IPv6, as in a Host header or a CONNECT target. */
export function formatAuthority(target: Target): string {
  return target.kind === 'ipv6' ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
}
