/** The limits in force, and how often each was met. */
import type { Config } from '../config/schema.ts';
import type { Usher } from '../listen/front-door.ts';
import { createNetworks } from '../listen/networks.ts';
import { createTally } from '../listen/tally.ts';
import { createUsher } from '../listen/usher.ts';

/** The values of the label `limit`. */
const names = ['connections', 'client_connections', 'password_attempts', 'password_queue'] as const;
export type Limit = (typeof names)[number];

export interface Limiting {
  readonly usher: Usher;
  /** Counts one that found no room. */
  readonly met: (limit: Limit) => void;
  /** How often each was met since the start. */
  readonly counts: () => Readonly<Record<Limit, number>>;
  /** Follows a new configuration; what is open stays. */
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
  return {
    usher: createUsher({
      proxies: (address) => networks.proxies(address),
      serves: (address) => networks.serves(address),
      connections: createTally(
        () => now.limits.clientConnections,
        () => met('client_connections'),
      ),
    }),
    met,
    counts: () => counts,
    follow(next) {
      networks = networksOf(next);
      now = next;
    },
  };
}
