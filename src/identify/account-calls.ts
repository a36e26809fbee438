/** Recognises the catalogue's account calls: requests with exactly these hosts, methods and paths. */
import type { Hostname, RequestFacts, Vendor } from '../flow.ts';

/** Only over TLS, because they carry credentials. */
export function indexAccountCalls(vendors: readonly Vendor[]): (host: Hostname, facts: RequestFacts) => boolean {
  const known = new Set<string>();
  for (const { products } of vendors) {
    for (const { host, methods, paths } of products.flatMap(({ accountCalls = [] }) => accountCalls)) {
      for (const method of methods) for (const path of paths) known.add(`${method} ${host}${path}`);
    }
  }
  return (host, { method, scheme, path }) =>
    scheme === 'https' && known.has(`${method} ${host}${path.split('?', 1)[0] ?? ''}`);
}
