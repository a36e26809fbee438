/** The configuration in force: read, compiled, and replaced as a whole at a reload. */
import { counted } from '../config/counted.ts';
import { shownPath } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { readStored, withStored, type StoredExceptions } from '../config/stored-exceptions.ts';
import type { DomainSets } from '../decide/near.ts';
import { ConfigError, describe } from '../errors.ts';
import type { Snapshot } from '../lifecycle.ts';
import { createSettling } from './settling.ts';
import { snapshotOf } from './snapshot.ts';

export interface InForceOptions {
  /** @throws {ConfigError} */
  readonly load: () => Config;
  /** The external lists that have been read; a new object after each change. */
  readonly sets: () => DomainSets;
  /** @throws {ConfigError} if a list that the configuration names cannot be used. */
  readonly demand: (config: Config) => void;
  /** Whether the client at an address keeps rejecting our leaves. */
  readonly refusesLeaf: (clientAddress: string) => boolean;
  /** The policy's clock, in epoch milliseconds. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

export interface ReloadState {
  readonly successful: boolean;
  /** Epoch milliseconds. */
  readonly lastSuccessAt: number;
  /** What was wrong at the last attempt; null if nothing was. */
  readonly problem: string | null;
}

/** `same`: the files have not changed; `held`: they deny less, and may not be complete yet. */
export type Reloaded = 'changed' | 'same' | 'failed' | 'held';

/**
 * Who asked for the reload: an operator, who gets the result; a changed file, where only changes are logged; or a file
 * that may be half written, where a failure is neither logged nor counted.
 */
export type Asked = 'by-operator' | 'by-change' | 'by-half-a-change';

export interface InForce {
  readonly config: () => Config;
  readonly snapshot: () => Snapshot;
  readonly reloaded: () => ReloadState;
  /** Reads the current contents of the files, ahead of a reload. @throws {ConfigError} */
  readonly preview: () => Config;
  /**
   * Puts the current contents of the files into force, or keeps the old configuration and logs why.
   *
   * @param adopt applies a new configuration elsewhere; if it throws, nothing changes.
   * @param from `preview`: the result of the last preview may be used, if there was no other reload since.
   */
  readonly reload: (adopt: (next: Config) => void, asked: Asked, from: 'preview' | 'files') => Reloaded;
  /** Puts other exceptions and pauses into force without reading or building anything else. */
  readonly adopt: (stored: StoredExceptions) => void;
}

/**
 * @throws {ConfigError} if a policy without the key `rules` would replace one with rules: the end of the file is
 *   missing.
 */
function checkRules({ policyOfFile: before }: Config, { policyOfFile: next, policyFile }: Config): void {
  if (next.rulesLeftOut !== true || before.rules.length === 0) return;
  const inForce = counted(before.rules.length, 'rule');
  throw new ConfigError(
    `${shownPath(policyFile)}: "rules" is missing, so ${inForce} would be dropped; write "rules: []" for none`,
  );
}

/** @throws {ConfigError} if the first configuration cannot be read. */
export function createInForce({ load, sets, demand, refusesLeaf, now, log }: InForceOptions): InForce {
  /** Exceptions that have ended are left out, as no decision needs them. */
  const merged = (next: Config, stored: StoredExceptions): Config => withStored(next, stored, now());
  let loaded = load();
  const settling = createSettling(() => performance.now(), loaded.policyFile);
  demand(loaded);
  let setsNow = sets();
  let config = merged(loaded, readStored(loaded.exceptionsFile));
  let snapshot = snapshotOf(config, refusesLeaf, setsNow);
  let previewed: Config | null = null;
  let reloaded: ReloadState = { successful: true, lastSuccessAt: Date.now(), problem: null };
  return {
    config: () => config,
    snapshot: () => snapshot,
    reloaded: () => reloaded,
    preview() {
      previewed = null;
      previewed = load();
      return previewed;
    },
    reload(adopt, asked, from) {
      const ready = from === 'preview' ? previewed : null;
      previewed = null;
      try {
        const fresh = ready ?? load();
        checkRules(loaded, fresh);
        demand(fresh);
        const settled = settling.settled(loaded, fresh);
        // An operator who asks for a reload vouches for the files.
        if (!settled && asked !== 'by-operator') return 'held';
        const setsNext = sets();
        const changed = fresh !== loaded || setsNext !== setsNow;
        // For an operator, everything that the configuration refers to is read again: certificates, passwords.
        if (changed || asked === 'by-operator') {
          const next = merged(fresh, readStored(fresh.exceptionsFile, config.stored));
          const compiled = snapshotOf(next, refusesLeaf, setsNext);
          adopt(next);
          loaded = fresh;
          config = next;
          snapshot = compiled;
          setsNow = setsNext;
        }
        const news = changed || asked === 'by-operator' || !reloaded.successful;
        if (!news) return 'same';
        reloaded = { successful: true, lastSuccessAt: Date.now(), problem: null };
        log(
          `reloaded: ${counted(config.policy.rules.length, 'rule')}, policy ${config.policyHash}${changed ? '' : ', unchanged'}`,
        );
        return changed ? 'changed' : 'same';
      } catch (error) {
        if (asked === 'by-half-a-change') return 'failed';
        const problem = error instanceof ConfigError ? error.message : describe(error);
        const news = asked === 'by-operator' || problem !== reloaded.problem;
        reloaded = { ...reloaded, successful: false, problem };
        if (news) log(`reload failed, the old policy stays: ${problem}`);
        return 'failed';
      }
    },
    adopt(stored) {
      const next = merged(config, stored);
      snapshot = snapshot.withExceptions(next.policy);
      config = next;
    },
  };
}
