/** Parses addresses, CIDR blocks and the destinations of `outbound.allow`. */
import { isIP } from 'node:net';
import { ConfigError } from '../errors.ts';
import type { Hostname } from '../flow.ts';
import { canonicalIpv6, ipv6Words } from '../ip.ts';
import { parseHost } from '../listen/target.ts';

export interface Address {
  /** An address or a name, without brackets. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

/** A destination that may be reached although it is private, loopback or on another port. */
export interface AllowedDestination {
  /**
   * `cidr`: the dialled address is in the block (a single address is a /32 or /128); `host`: the requested name;
   * `suffix`: every name below it (written `*.name`).
   */
  readonly match: 'cidr' | 'host' | 'suffix';
  readonly value: string;
  /** Null: every port. */
  readonly port: number | null;
}

/** Bits of an address, most significant first; `text` must be valid for its family. */
function bitsOf(text: string, family: 4 | 6): bigint {
  if (family === 4) return text.split('.').reduce((bits, part) => (bits << 8n) | BigInt(Number(part)), 0n);
  return ipv6Words(text).reduce((bits, word) => (bits << 16n) | BigInt(word), 0n);
}

function textOf(bits: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 255n)).join('.');
  const words = Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  return canonical(words.join(':'));
}

/** The WHATWG form, without a dotted part; a mapped IPv4 address stays IPv6, so that its prefix length stays valid. */
function canonical(text: string): string {
  return isIP(text) === 6 ? canonicalIpv6(text) : text;
}

/** An address literal in canonical form. @throws {ConfigError} */
export function parseIp(text: string): string {
  if (isIP(text) === 0 || text.includes('%')) {
    throw new ConfigError(`"${text}" is not an IP address; write one such as 10.0.0.1 or fd00::1`);
  }
  return parseHost(text).host;
}

/**
 * A server address, with an optional port: `10.0.0.53`, `10.0.0.53:5353`, `[fd00::53]:53`.
 *
 * @throws {ConfigError}
 */
export function parseServer(text: string): string {
  if (isIP(text) !== 0) return parseIp(text);
  const { rest, port } = splitPort(text);
  if (port === null) throw new ConfigError(`"${text}" is not a server; write an address such as 10.0.0.53`);
  return formatAddress({ host: parseIp(rest.replace(/^\[|\]$/g, '')), port: parsePort(port, 1) });
}

/**
 * A CIDR block or a single address, as `address/bits`. A block with bits after its prefix is rejected: it is nearly
 * always a mistake.
 *
 * @throws {ConfigError}
 */
export function parseCidr(text: string): string {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || address.includes('%') || rest.length > 0) {
    throw new ConfigError(`"${text}" is not a network; write a CIDR block such as 10.0.0.0/8 or one address`);
  }
  const width = family === 4 ? 32 : 128;
  if (prefix !== undefined && !(/^\d{1,3}$/.test(prefix) && Number(prefix) <= width)) {
    throw new ConfigError(`"${text}" has no valid prefix length; write 0 to ${width} after the slash`);
  }
  const length = prefix === undefined ? width : Number(prefix);
  const plain = canonical(address);
  const bits = bitsOf(plain, family);
  const hostBits = BigInt(width - length);
  const network = (bits >> hostBits) << hostBits;
  if (network !== bits) {
    const meant = `${textOf(network, family)}/${length}`;
    throw new ConfigError(`"${text}" has bits set after its prefix; write ${meant} for the block`);
  }
  return `${plain}/${length}`;
}

/** Whether two CIDR blocks, as {@link parseCidr} returns them, have an address in common. */
export function overlap(a: string, b: string): boolean {
  const [[first = '', lengthA], [second = '', lengthB]] = [a.split('/'), b.split('/')];
  const family = isIP(first);
  if ((family !== 4 && family !== 6) || family !== isIP(second)) return false;
  const behind = BigInt((family === 4 ? 32 : 128) - Math.min(Number(lengthA), Number(lengthB)));
  return bitsOf(first, family) >> behind === bitsOf(second, family) >> behind;
}

function splitPort(text: string): { readonly rest: string; readonly port: string | null } {
  const [, bracketed, bracketedTail = '', bracketedPort] = /^\[([^\]]*)\](\/\d+)?(?::(.*))?$/.exec(text) ?? [];
  if (bracketed !== undefined) return { rest: `${bracketed}${bracketedTail}`, port: bracketedPort ?? null };
  const colon = text.lastIndexOf(':');
  if (colon === -1 || text.indexOf(':') !== colon) return { rest: text, port: null };
  return { rest: text.slice(0, colon), port: text.slice(colon + 1) };
}

function parsePort(text: string, least: 0 | 1): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < least || port > 65_535) throw new ConfigError(`"${text}" is not a port; write ${least} to 65535`);
  return port;
}

/** An address to listen on: `host:port`, `[v6]:port`. @throws {ConfigError} */
export function parseAddress(text: string): Address {
  const { rest, port } = splitPort(text);
  if (port === null || rest === '') {
    throw new ConfigError(`"${text}" is not an address to listen on; write host:port, such as 127.0.0.1:3128`);
  }
  return { host: parseHost(rest).host, port: parsePort(port, 0) };
}

/** `host:port` with brackets around IPv6. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The host of a URL, without the brackets of an IPv6 address. */
export function hostOfUrl({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** Whether it means all addresses of the machine. */
export function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/**
 * An address at which this machine can connect to a server that listens on `host`: "all addresses" cannot be dialled.
 */
export function callableHost(host: string): string {
  if (!isEveryAddress(host)) return host;
  return host === '::' ? '::1' : '127.0.0.1';
}

/** A name, or `*.name` for every name below it. @throws {ConfigError | SallyportError} */
export function parseNamePattern(text: string): { readonly below: boolean; readonly host: Hostname } {
  const below = text.startsWith('*.');
  const { host, kind } = parseHost(below ? text.slice(2) : text);
  if (kind !== 'name') throw new ConfigError(`"${text}" is an address; write a name, or *.name for the names below it`);
  return { below, host };
}

/**
 * `address`, `cidr`, `name` or `*.name`, each with or without `:port`; IPv6 with a port in brackets.
 *
 * @throws {ConfigError | SallyportError}
 */
export function parseAllowed(text: string): AllowedDestination {
  if (/^[a-z]+:\/\//i.test(text)) {
    const host = URL.canParse(text) ? new URL(text).host : '';
    throw new ConfigError(`"${text}" is a URL; write its host alone, ${host === '' ? 'host or host:port' : host}`);
  }
  const { rest, port: portText } = splitPort(text);
  const port = portText === null ? null : parsePort(portText, 1);
  if (rest.includes('/') || isIP(rest) !== 0) return { match: 'cidr', value: parseCidr(rest), port };
  const { below, host } = parseNamePattern(rest);
  return { match: below ? 'suffix' : 'host', value: host, port };
}
