/**
 * The proxy auto-configuration file that browsers and systems fetch from the pages port.
 */
import { ConfigError } from '../errors.ts';

export interface PacProxy {
  readonly host: string;
  readonly port: number;
  /** `HTTPS`: the proxy is reached over TLS, which browsers support, but not Windows services and many programs. */
  readonly type?: 'PROXY' | 'HTTPS';
}

/** The proxy's port over TLS. */
export interface PacTls {
  readonly pac: 'never' | 'first' | 'only';
  readonly address: { readonly port: number };
  /** Names in its certificate; empty: unknown. */
  readonly serverNames: readonly { readonly host: string }[];
}

export interface PacSettings {
  /** In the order in which clients try them; at least one. Clients must be able to resolve the hosts. */
  readonly proxies: readonly PacProxy[];
  /** The company's own domains, reached without the proxy, with their subdomains. */
  readonly direct: readonly string[];
  /** Whether clients connect directly if no proxy answers, which circumvents the policy. */
  readonly failOpen: boolean;
}

/**
 * Settings that send everything through the proxy. Clients reach it under the host of the pages; over TLS, under a name
 * in its certificate.
 */
export function pacSettings(pagesUrl: string, proxyPort: number, tls: PacTls | null = null): PacSettings {
  const { hostname } = new URL(pagesUrl);
  const plain: PacProxy = { host: hostname, port: proxyPort };
  const settings = { direct: [], failOpen: false };
  if (tls === null || tls.pac === 'never') return { ...settings, proxies: [plain] };
  const names = tls.serverNames.map(({ host }) => host);
  const host = names.includes(bare(hostname)) ? hostname : (names[0] ?? hostname);
  const overTls: PacProxy = { host, port: tls.address.port, type: 'HTTPS' };
  return { ...settings, proxies: tls.pac === 'only' ? [overTls] : [overTls, plain] };
}

/** Characters of a host or domain: none that could end a string or begin another proxy in the list. */
const hostCharacters = /^[A-Za-z0-9._-]+$|^\[?[0-9A-Fa-f:.]+\]?$/;

/**
 * The text of the file. It resolves no names: `isInNet` and `dnsResolve` block the browser during each lookup, and a
 * name that resolves to a private address would bypass the proxy. Nor does it use the browsers' other helpers: some
 * take an IPv6 address, which has no dot, for a plain host name.
 *
 * @throws ConfigError for an invalid host, port or domain, or if there is no proxy.
 */
export function pacFile(settings: PacSettings): string {
  const route = routeOf(settings);
  const direct = [...settings.proxies.map(({ host }) => bare(host)), ...settings.direct.map(domainOf)];
  return `// Made by Sallyport. Everything but plain and private hosts goes through the proxy.
var route = ${JSON.stringify(route)};
var direct = ${JSON.stringify([...new Set(direct)])};

function isDirectName(host) {
  if (host === 'localhost' || /\\.(localhost|local)$/.test(host)) return true;
  // No dot: a host of the own network, unless it is a number, which is an address in another spelling.
  if (host.indexOf('.') === -1) return !/^(0x[0-9a-f]*|[0-9]+)$/.test(host);
  for (var i = 0; i < direct.length; i++) {
    var at = host.length - direct[i].length;
    if (host === direct[i] || (at > 0 && host.substring(at - 1) === '.' + direct[i])) return true;
  }
  return false;
}

function isDirectIPv4(host) {
  var parts = /^(\\d{1,3})\\.(\\d{1,3})\\.\\d{1,3}\\.\\d{1,3}$/.exec(host);
  if (!parts) return false;
  var a = Number(parts[1]);
  var b = Number(parts[2]);
  return a === 10 || a === 127 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) ||
    (a === 169 && b === 254) || (a === 100 && b >= 64 && b <= 127);
}

function isDirectIPv6(host) {
  if (host === '::1') return true;
  for (var i = 0; i < direct.length; i++) if (host === direct[i]) return true;
  // fc00::/7 and fe80::/10
  return /^f[cd][0-9a-f]{2}:/.test(host) || /^fe[89ab][0-9a-f]:/.test(host);
}

function FindProxyForURL(url, host) {
  host = host.toLowerCase().replace(/^\\[|\\]$/g, '').replace(/\\.$/, '');
  if (host.indexOf(':') !== -1) return isDirectIPv6(host) ? 'DIRECT' : route;
  return isDirectIPv4(host) || isDirectName(host) ? 'DIRECT' : route;
}
`;
}

function routeOf({ proxies, failOpen }: PacSettings): string {
  if (proxies.length === 0)
    throw new ConfigError('proxy.pac: no proxy is named; name the host by which clients reach it');
  const routes = proxies.map(({ host, port, type = 'PROXY' }) => {
    if (!hostCharacters.test(host)) {
      throw new ConfigError(`proxy.pac: ${JSON.stringify(host)} is not a host; use a name or an address`);
    }
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new ConfigError(`proxy.pac: ${port} is not a port; use 1 to 65535`);
    }
    return `${type} ${host.includes(':') ? `[${bare(host)}]` : host}:${port}`;
  });
  return (failOpen ? [...routes, 'DIRECT'] : routes).join('; ');
}

function domainOf(domain: string): string {
  const name = domain.replace(/^\*?\./, '');
  if (!hostCharacters.test(name)) {
    throw new ConfigError(`proxy.pac: ${JSON.stringify(domain)} is not a domain; write it like example.com`);
  }
  return bare(name);
}

function bare(host: string): string {
  return host.toLowerCase().replace(/^\[|\]$/g, '');
}
