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
  ['.traefik.me', spelledAddress],
];

/** Services that fetch the URL in their path or query, most of them with or without its scheme. */
const readers = new Set([
  // Translators of pages.
  ...['translate.google.com', 'translate.googleusercontent.com', 'fanyi.baidu.com', 'papago.naver.net'],
  ...['translated.turbopages.org', 'z5h64q92x9.net', 'translate.yandex.ru', 'translate.yandex.com'],
  ...['translate.yandex.com.tr', 'translate.yandex.kz', 'translate.yandex.by', 'translate.weblio.jp'],
  ...['www.translatetheweb.com', 'www.microsofttranslator.com', 'ssl.microsofttranslator.com'],
  // Archives and caches.
  ...['web.archive.org', 'wayback.archive-it.org', 'arquivo.pt', 'timetravel.mementoweb.org', 'ghostarchive.org'],
  ...['archive.ph', 'archive.is', 'archive.today', 'archive.li', 'archive.vn', 'archive.fo', 'archive.md'],
  ...['webcache.googleusercontent.com', 'cc.bingj.com'],
  // Readers.
  ...['r.jina.ai', 'pure.md', 'defuddle.md', 'markdown.new', 'txtify.it', 'via.hypothes.is', '12ft.io'],
  ...['smry.ai', 'www.smry.ai', 'www.instapaper.com', 'www.printfriendly.com'],
  ...['removepaywall.com', 'www.removepaywall.com', 'removepaywalls.com', 'www.removepaywalls.com'],
  // CORS proxies.
  ...['corsproxy.io', 'proxy.corsfix.com', 'proxy.cors.sh', 'api.cors.lol', 'cors.eu.org', 'cors.bridged.cc'],
  ...['api.allorigins.win', 'api.codetabs.com', 'thingproxy.freeboard.io', 'whateverorigin.org'],
  ...['www.whateverorigin.org', 'jsonp.afeld.me', 'test.cors.workers.dev', 'cors-anywhere.com'],
  'cors-anywhere.herokuapp.com',
  // Scrapers.
  ...['api.scraperapi.com', 'app.scrapingbee.com', 'api.scrapingant.com', 'api.zenrows.com', 'api.scrapfly.io'],
  ...['api.scrape.do', 'api.scrapingdog.com', 'api.crawlbase.com', 'api.proxycrawl.com', 'api.microlink.io'],
]);

/** The host of an authority, with or without user and port: `user:x@Claude.AI.:443` is `claude.ai`. */
function ofAuthority(text: string): Hostname | null {
  const host = text.slice(text.lastIndexOf('@') + 1).toLowerCase();
  return canonical(host.replace(/:\d*$/, '').replace(/\.$/, ''));
}

/**
 * Segments that look like a name but are none: a page of the reader's own, or Yandex's pair of languages, as in
 * `en-ru.ru.1a2b`.
 */
const noHost = /\.(?:aspx|html?|php)$|^[a-z]{2}-[a-z]{2}\.[a-z]{2}(?:\.|$)/i;

function inSegments(path: string): Hostname | null {
  for (const segment of path.split('/')) {
    const host = noHost.test(segment) ? null : ofAuthority(segment);
    if (host !== null) return host;
  }
  return null;
}

/** Parameters in which readers accept a URL without its scheme; empty: the query is nothing else. */
const addressNames = new Set(['', 'url', 'u', 'uri', 'a', 'quest', 'query']);

/**
 * Finds an absolute URL in any parameter, but one without a scheme only in those above: a referrer
 * (`utm_source=chatgpt.com`) or text to translate looks the same. Google's cache has the prefix `cache:`, or that and a
 * number.
 */
function inQuery(query: string): Hostname | null {
  const url = /\bhttps?(?::\/{1,2}|\/)([^/?#&\s]+)/i.exec(query)?.[1];
  if (url !== undefined) return ofAuthority(url);
  for (const part of query.split('&')) {
    const [, name = '', value = ''] = /^(?:(\w+)=)?([^/+\s]*)/.exec(part) ?? [];
    const cached = /^cache:(?:[\w-]+:)?(.*)/i.exec(value)?.[1];
    const host = cached === undefined && !addressNames.has(name) ? null : ofAuthority(cached ?? value);
    if (host !== null) return host;
  }
  return null;
}

/** Decodes what is valid and leaves the rest: a stray `%` elsewhere must not hide a name. */
function decoded(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run;
    }
  });
}

function fromPath(path: string): readonly Hostname[] {
  // Twice, as some readers decode a URL in a parameter once more; to most of them a backslash is a slash (WHATWG URL).
  const text = decoded(decoded(path.slice(0, MAX_PATH))).replaceAll('\\', '/');
  const at = text.indexOf('?');
  const found = at === -1 ? [inSegments(text)] : [inSegments(text.slice(0, at)), inQuery(text.slice(at + 1))];
  return found.filter((host) => host !== null);
}

/** Whether a host may carry another. */
export function isCarrier(host: Hostname): boolean {
  return readers.has(host) || byName.some(([suffix]) => host.endsWith(suffix));
}

/**
 * The hosts that may be reached through another host. A reader takes its URL from either path or query and ignores the
 * other, so both are returned if both have one.
 *
 * @param path origin-form; null if no request has been read, when only the name is examined.
 */
export function carriedHosts(host: Hostname, path: string | null = null): readonly Hostname[] {
  for (const [suffix, read] of byName) {
    if (!host.endsWith(suffix)) continue;
    const inside = read(host.slice(0, -suffix.length), path);
    return inside === null ? [] : [inside];
  }
  return path !== null && readers.has(host) ? fromPath(path) : [];
}
