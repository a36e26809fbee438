/** The configuration in force: read, compiled, and swapped whole at a reload. */
import type { Config } from '../config/schema.ts';
import { ConfigError, describe } from '../errors.ts';
import type { Snapshot } from '../lifecycle.ts';
import { snapshotOf } from './snapshot.ts';

export interface InForceOptions {
  /** @throws {ConfigError} */
  readonly load: () => Config;
  /** Whether the client at an address keeps refusing our leaves. */
  readonly refusesLeaf: (clientAddress: string) => boolean;
  readonly log: (line: string) => void;
}

export interface ReloadState {
  readonly successful: boolean;
  /** Epoch milliseconds. */
  readonly lastSuccessAt: number;
  /** What was wrong at the last attempt; null where nothing was. */
  readonly problem: string | null;
}

export interface InForce {
  readonly config: () => Config;
  readonly snapshot: () => Snapshot;
  readonly reloaded: () => ReloadState;
  /**
   * Puts what is in the files now into force, or leaves the old and says why. True: it is in force.
   *
   * @param adopt what else has to follow a new configuration; nothing is swapped yet where it throws.
   */
  readonly reload: (adopt: (next: Config) => void) => boolean;
}

/** @throws {ConfigError} where the first configuration cannot be read. */
export function createInForce({ load, refusesLeaf, log }: InForceOptions): InForce {
  let config = load();
  let snapshot = snapshotOf(config, refusesLeaf);
  let reloaded: ReloadState = { successful: true, lastSuccessAt: Date.now(), problem: null };
  return {
    config: () => config,
    snapshot: () => snapshot,
    reloaded: () => reloaded,
    reload(adopt) {
      try {
        const next = load();
        const compiled = snapshotOf(next, refusesLeaf);
        adopt(next);
        config = next;
        snapshot = compiled;
        reloaded = { successful: true, lastSuccessAt: Date.now(), problem: null };
        log(`reloaded: ${next.policy.rules.length} rules, policy ${next.policyHash}`);
      } catch (error) {
        const problem = error instanceof ConfigError ? error.message : describe(error);
        reloaded = { ...reloaded, successful: false, problem };
        log(`reload failed, the old policy stays: ${problem}`);
      }
      return reloaded.successful;
    },
  };
}
