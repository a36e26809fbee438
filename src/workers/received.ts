/** The configuration in force in a worker. The primary process reads and validates it. */
import type { Config } from '../config/schema.ts';
import type { DomainSets } from '../decide/near.ts';
import type { InForce } from '../gateway/in-force.ts';
import { snapshotOf } from '../gateway/snapshot.ts';
import type { FollowedConfig } from './messages.ts';

export interface Received extends Pick<InForce, 'config' | 'snapshot' | 'reloaded'> {
  /** Puts a configuration into force, and returns it complete. */
  readonly take: (next: FollowedConfig) => Config;
}

/**
 * @param refusesLeaf whether the client at an address keeps rejecting our leaves.
 * @param sets the external lists that have been read.
 */
export function createReceived(
  first: Config,
  refusesLeaf: (clientAddress: string) => boolean,
  sets: () => DomainSets,
): Received {
  let config = first;
  let snapshot = snapshotOf(config, refusesLeaf, sets());
  let lastSuccessAt = Date.now();
  return {
    config: () => config,
    snapshot: () => snapshot,
    reloaded: () => ({ successful: true, lastSuccessAt, problem: null }),
    take(next) {
      // Unchanged vendors keep their object, since their index is cached by object.
      config = { ...next, vendors: next.vendors ?? config.vendors };
      snapshot = snapshotOf(config, refusesLeaf, sets());
      lastSuccessAt = Date.now();
      return config;
    },
  };
}
