/** Checks that the proxy's ports differ, to report it more clearly than the system's "in use". */
import type { z } from 'zod';
import { formatAddress, isEveryAddress, type Address } from './network.ts';

interface Ports {
  readonly listen: Readonly<Record<'proxy' | 'pages' | 'admin', Address>> & {
    readonly proxy_tls?: { readonly address: Address } | undefined;
  };
}

/** Each is a separate server. Port 0 is never the same. */
export function onePortEach({ listen }: Ports, context: z.RefinementCtx): void {
  const taken = new Map<string, Address>();
  const all = { proxy: listen.proxy, pages: listen.pages, admin: listen.admin, proxy_tls: listen.proxy_tls?.address };
  for (const [key, own] of Object.entries(all)) {
    if (own === undefined || own.port === 0) continue;
    const [other] =
      [...taken].find(
        ([, { host, port }]) =>
          port === own.port && (host === own.host || isEveryAddress(host) || isEveryAddress(own.host)),
      ) ?? [];
    taken.set(key, own);
    if (other === undefined) continue;
    const message = `listen.${key} is ${formatAddress(own)}, which is also the port of listen.${other}; give each its own port`;
    context.addIssue({ code: 'custom', path: ['listen', key], message });
  }
}
