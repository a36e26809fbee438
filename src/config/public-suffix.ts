/** Names under which anyone can register: an entry for one would take in strangers. By the Public Suffix List. */
import { parse } from 'tldts';

/** `registry`: of a country or a registry; `company`: put on the list by who owns the name, such as github.io. */
export function publicSuffix(host: string): 'registry' | 'company' | null {
  const { publicSuffix: suffix, isPrivate } = parse(host, { allowPrivateDomains: true, extractHostname: false });
  if (suffix !== host) return null;
  return isPrivate === true ? 'company' : 'registry';
}
