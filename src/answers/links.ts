/** Addresses that people are sent to. They come from configuration only; what is not the web is no link. */
import type { Target } from '../flow.ts';

/** The normal form of an http or https URL, printable ASCII throughout, or null. */
export function webUrl(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
}

/** `url` with the signed context as one more query parameter; its own query stays as it is written. */
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

/** What a person can click to ask: a web page or a mail address; null where it is only words. */
export function contactHref(contact: string): string | null {
  const web = webUrl(contact);
  if (web !== null) return web;
  return /^[\w.+-]{1,64}@[a-z0-9.-]{1,255}$/i.test(contact) ? `mailto:${contact}` : null;
}
