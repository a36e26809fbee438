/** Names under which anyone can register: an entry for one would take in strangers. By the Public Suffix List. */
import { getDomain, parse } from 'tldts';

/** `registry`: of a country or a registry; `company`: put on the list by who owns the name, such as github.io. */
export function publicSuffix(host: string): 'registry' | 'company' | null {
  const { publicSuffix: suffix, isPrivate } = parse(host, { allowPrivateDomains: true, extractHostname: false });
  if (suffix !== host) return null;
  return isPrivate === true ? 'company' : 'registry';
}

/** Endings that no registry gives out (RFC 2606, RFC 6761, RFC 8375, RFC 9476), and that companies use inside. */
const inside = 'test example invalid localhost local internal lan corp home intra intranet private arpa onion alt';
const insideEndings: ReadonlySet<string> = new Set(inside.split(' '));

/** Whether the host lies under a suffix that the list really has, or is one. */
export function isListed(host: string): boolean {
  const { isIcann, isPrivate } = parse(host, { allowPrivateDomains: true, extractHostname: false });
  return isIcann === true || isPrivate === true;
}

/** Whether names under the last label of the host exist anywhere. */
export function isKnownEnding(host: string): boolean {
  return isListed(host) || insideEndings.has(host.slice(host.lastIndexOf('.') + 1));
}

/** What one owner has of the names under a suffix: `example.co.uk` for `a.b.example.co.uk`; a suffix is its own. */
export function registeredDomain(host: string): string {
  return getDomain(host, { allowPrivateDomains: true, extractHostname: false }) ?? host;
}
