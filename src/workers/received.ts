/** The configuration in force in a worker: the one that the primary process has read and judged. */
import type { Config } from '../config/schema.ts';
import type { DomainSets } from '../decide/near.ts';
import type { InForce } from '../gateway/in-force.ts';
import { snapshotOf } from '../gateway/snapshot.ts';
import type { FollowedConfig } from './messages.ts';

export interface Received extends Pick<InForce, 'config' | 'snapshot' | 'reloaded'> {
  /** Puts it into force, and returns it whole. */
  readonly take: (next: FollowedConfig) => Config;
}

/**
 * @param refusesLeaf whether the client at an address keeps refusing our leaves.
 * @param sets the external lists that are read.
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
      // The same list of vendors is the same object, by which its index is found again.
      config = { ...next, vendors: next.vendors ?? config.vendors };
      snapshot = snapshotOf(config, refusesLeaf, sets());
      lastSuccessAt = Date.now();
      return config;
    },
  };
}
