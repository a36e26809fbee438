/** The limits in force, and how often each was reached. */
import type { Config } from '../config/schema.ts';
import type { ErrorCode } from '../errors.ts';
import type { Admit } from '../listen/front-door.ts';
import { createNetworks } from '../listen/networks.ts';
import { clientKey } from '../listen/peers.ts';
import { createRate } from '../listen/rate.ts';
import { createConcurrencyLimit } from '../listen/concurrency-limit.ts';
import { createAdmission } from '../listen/admission.ts';

/** The values of the label `limit`. */
const names = [
  'connections',
  'client_connections',
  'tunnels',
  'client_tunnels',
  'client_requests',
  'connection_lifetime',
  'leaf_certificates',
  'password_attempts',
  'password_queue',
  'admin_tokens',
] as const;
export type Limit = (typeof names)[number];

export interface Limiting {
  readonly admit: Admit;
  /** Whether the client exceeds its request rate. */
  readonly tooOften: (address: string) => boolean;
  /** Counts one more tunnel of a client, or returns why it is refused. */
  readonly enterTunnel: (address: string) => ErrorCode | null;
  readonly leaveTunnel: (address: string) => void;
  readonly tunnels: () => number;
  /** Counts one refusal. */
  readonly met: (limit: Limit) => void;
  /** Refusals by limit since the start. */
  readonly counts: () => Readonly<Record<Limit, number>>;
  /** Applies a new configuration; open connections stay. */
  readonly follow: (config: Config) => void;
}

export function createLimiting(config: Config): Limiting {
  const counts = Object.fromEntries(names.map((name) => [name, 0])) as Record<Limit, number>;
  const met = (limit: Limit): void => void (counts[limit] += 1);
  let now = config;
  const networksOf = ({ proxyProtocol, clients }: Config) => ({
    proxies: createNetworks(proxyProtocol.trusted),
    serves: createNetworks(clients.networks),
  });
  let networks = networksOf(config);
  let tunnels = 0;
  const tunnelsOfOne = createConcurrencyLimit(
    () => now.limits.clientTunnels,
    () => met('client_tunnels'),
  );
  const requests = createRate({
    // Two seconds' worth at once: a page takes many requests.
    burst: () => 2 * now.limits.clientRequests,
    perSecond: () => now.limits.clientRequests,
    now: () => performance.now(),
  });
  return {
    admit: createAdmission({
      proxies: (address) => networks.proxies(address),
      serves: (address) => networks.serves(address),
      connections: createConcurrencyLimit(
        () => now.limits.clientConnections,
        () => met('client_connections'),
      ),
    }),
    tooOften(address) {
      if (now.limits.clientRequests === 0 || requests.take(clientKey(address))) return false;
      met('client_requests');
      return true;
    },
    enterTunnel(address) {
      if (tunnels >= now.limits.tunnels) {
        met('tunnels');
        return 'connection_limit';
      }
      if (!tunnelsOfOne.acquire(clientKey(address))) return 'client_limit';
      tunnels += 1;
      return null;
    },
    leaveTunnel(address) {
      tunnels -= 1;
      tunnelsOfOne.release(clientKey(address));
    },
    tunnels: () => tunnels,
    met,
    counts: () => counts,
    follow(next) {
      networks = networksOf(next);
      now = next;
    },
  };
}
