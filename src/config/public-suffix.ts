/**
 * Public suffixes, under which anybody can register: an entry for one would cover strangers. From the Public Suffix
 * List.
 */
import { getDomain, parse } from 'tldts';

/** `registry`: of a country or a registry; `company`: submitted by the owner of the name, such as github.io. */
export function publicSuffix(host: string): 'registry' | 'company' | null {
  const { publicSuffix: suffix, isPrivate } = parse(host, { allowPrivateDomains: true, extractHostname: false });
  if (suffix !== host) return null;
  return isPrivate === true ? 'company' : 'registry';
}

/**
 * Top-level names that no registry assigns (RFC 2606, RFC 6761, RFC 8375, RFC 9476), and that companies use internally.
 */
const inside = 'test example invalid localhost local internal lan corp home intra intranet private arpa onion alt';
const insideEndings: ReadonlySet<string> = new Set(inside.split(' '));

/** Whether the host is, or is below, a suffix in the list. */
export function isListed(host: string): boolean {
  const { isIcann, isPrivate } = parse(host, { allowPrivateDomains: true, extractHostname: false });
  return isIcann === true || isPrivate === true;
}

/** Whether the top-level name of the host exists. */
export function isKnownEnding(host: string): boolean {
  return isListed(host) || insideEndings.has(host.slice(host.lastIndexOf('.') + 1));
}

/** The part of a host that one owner has: `example.co.uk` for `a.b.example.co.uk`; a suffix is its own. */
export function registeredDomain(host: string): string {
  return getDomain(host, { allowPrivateDomains: true, extractHostname: false }) ?? host;
}
