/**
 * Hosts that carry another host in their name or path: page translators, caches, readers, and DNS names that spell an
 * address. The carried host is what is reached, so that is what is judged.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Hostname } from '../flow.ts';
import { canonicalIpv6 } from '../ip.ts';

/** Longer than any URL that a person follows; the rest is ignored. */
const MAX_PATH = 2048;

/** What these match in a canonical host is canonical itself. */
const name = /^(?:[a-z0-9_][a-z0-9_-]{0,62}\.)+[a-z][a-z0-9-]{0,62}$/;

function canonical(text: string): Hostname | null {
  return name.test(text) || isIPv4(text) ? (text as Hostname) : null;
}

/**
 * `api-openai-com` to `api.openai.com`, `my--site-com` to `my-site.com`. A leading `0-` means `xn--`, a leading `1-`
 * means nothing.
 */
function fromLabel(label: string): Hostname | null {
  if (label.includes('.')) return null;
  const plain = label.startsWith('1-') ? label.slice(2) : label;
  const international = plain.startsWith('0-');
  const text = (international ? plain.slice(2) : plain)
    .split('--')
    .map((part) => part.replaceAll('-', '.'))
    .join('-');
  return canonical(international ? `xn--${text}` : text);
}

/** The last four numbers before the suffix, separated by dots or hyphens; or eight hexadecimal digits. */
function spelledAddress(rest: string): Hostname | null {
  const decimal = /(?:^|[.-])(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})$/.exec(rest);
  if (decimal !== null) return canonical(decimal.slice(1).map(Number).join('.'));
  const label = rest.slice(rest.lastIndexOf('.') + 1);
  if (/^[0-9a-f]{8}$/.test(label)) {
    return canonical([0, 2, 4, 6].map((at) => Number.parseInt(label.slice(at, at + 2), 16)).join('.'));
  }
  const ipv6 = label.replaceAll('-', ':');
  return ipv6.includes('::') && isIPv6(ipv6) ? (canonicalIpv6(ipv6) as Hostname) : null;
}

/**
 * Google Translate puts the value of `_x_tr_hp` before the label
 * (developers.google.com/search/docs/appearance/ad-network-and-translation).
 */
function translated(label: string, path: string | null): Hostname | null {
  const query = path === null || !path.includes('_x_tr_hp') ? '' : path.slice(path.indexOf('?') + 1, MAX_PATH);
  return fromLabel(`${new URLSearchParams(query).get('_x_tr_hp')?.toLowerCase() ?? ''}${label}`);
}

const byName: readonly (readonly [suffix: string, read: (rest: string, path: string | null) => Hostname | null])[] = [
  ['.translate.goog', translated],
  ['.cdn.ampproject.org', fromLabel],
  ['.nip.io', spelledAddress],
  ['.sslip.io', spelledAddress],
  ['.xip.io', spelledAddress],
];

/** Services that fetch the absolute URL in their path or query. */
const readers = new Set([
  ...['r.jina.ai', 'translate.google.com', 'translated.turbopages.org', 'fanyi.baidu.com', 'www.translatetheweb.com'],
  ...['web.archive.org', 'archive.ph', 'archive.is', 'archive.today', '12ft.io', 'corsproxy.io', 'api.allorigins.win'],
  ...[
    'api.codetabs.com',
    'thingproxy.freeboard.io',
    'proxy.cors.sh',
    'api.cors.lol',
    'cors.eu.org',
    'cors-anywhere.com',
  ],
  ...['translate.yandex.ru', 'translate.yandex.com', 'www.microsofttranslator.com', 'webcache.googleusercontent.com'],
  ...['archive.li', 'archive.vn', 'archive.fo', 'archive.md', 'pure.md', 'smry.ai', 'removepaywalls.com', 'txtify.it'],
  ...['api.scraperapi.com', 'app.scrapingbee.com', 'api.scrapingant.com', 'cors-anywhere.herokuapp.com'],
]);

function fromPath(path: string): Hostname | null {
  let text = path.slice(0, MAX_PATH);
  try {
    text = decodeURIComponent(text);
  } catch {
    // Invalid percent-encoding: used as it is.
  }
  const authority = /\bhttps?(?::\/{1,2}|\/)([^/?#&\s]+)/i.exec(text)?.[1];
  if (authority === undefined) return null;
  const host = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
  return canonical(host.replace(/:\d*$/, '').replace(/\.$/, ''));
}

/** Whether a host may carry another. */
export function isCarrier(host: Hostname): boolean {
  return readers.has(host) || byName.some(([suffix]) => host.endsWith(suffix));
}

/**
 * The host that is reached through another, or null.
 *
 * @param path origin-form; null if no request has been read, when only the name is examined.
 */
export function carriedHost(host: Hostname, path: string | null = null): Hostname | null {
  for (const [suffix, read] of byName) {
    if (host.endsWith(suffix)) return read(host.slice(0, -suffix.length), path);
  }
  return path !== null && readers.has(host) ? fromPath(path) : null;
}
