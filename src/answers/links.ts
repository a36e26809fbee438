/** Links to other sites: http and https URLs and mail addresses. They come from the configuration only. */
import type { Target } from '../flow.ts';

/** An http or https URL in normalized form, which is printable ASCII, or null. */
export function webUrl(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
}

/** Adds the signed context as a query parameter; the existing query is left as it is. */
export function withContext(url: string, token: string): string {
  const target = new URL(url);
  target.search = `${target.search === '' ? '?' : `${target.search}&`}sallyport=${token}`;
  return target.href;
}

/** Whether `url` has the host and port of `target`. */
export function isAt(url: string, target: Target): boolean {
  const { hostname, port, protocol } = new URL(url);
  const usual = protocol === 'https:' ? 443 : 80;
  return hostname.replace(/^\[|\]$/g, '') === target.host && (port === '' ? usual : Number(port)) === target.port;
}

/** The link for a contact: a web page or a mail address; null if it is plain text. */
export function contactHref(contact: string): string | null {
  const web = webUrl(contact);
  if (web !== null) return web;
  return /^[\w.+-]{1,64}@[a-z0-9.-]{1,255}$/i.test(contact) ? `mailto:${contact}` : null;
}
