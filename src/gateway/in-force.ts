/** The configuration in force: read, compiled, and swapped whole at a reload. */
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
  /** The external lists that are read; another object where something in them has changed. */
  readonly sets: () => DomainSets;
  /** @throws {ConfigError} where a list that the configuration names cannot be used. */
  readonly demand: (config: Config) => void;
  /** Whether the client at an address keeps refusing our leaves. */
  readonly refusesLeaf: (clientAddress: string) => boolean;
  /** The clock that the policy goes by, epoch milliseconds. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

export interface ReloadState {
  readonly successful: boolean;
  /** Epoch milliseconds. */
  readonly lastSuccessAt: number;
  /** What was wrong at the last attempt; null where nothing was. */
  readonly problem: string | null;
}

/** `same`: there was nothing new in the files; `held`: they deny less, and may not be whole yet. */
export type Reloaded = 'changed' | 'same' | 'failed' | 'held';

/**
 * By an operator, who is told what came of it; by a file that has changed, where only news is told; or by one that may
 * be half written, where a failure is not told and does not count.
 */
export type Asked = 'by-operator' | 'by-change' | 'by-half-a-change';

export interface InForce {
  readonly config: () => Config;
  readonly snapshot: () => Snapshot;
  readonly reloaded: () => ReloadState;
  /** Reads the current contents of the files, ahead of a reload. @throws {ConfigError} */
  readonly preview: () => Config;
  /**
   * Puts what is in the files now into force, or leaves the old and says why.
   *
   * @param adopt what else has to follow a new configuration; nothing is swapped yet where it throws.
   * @param from `preview`: what the last preview found is new enough, where there was no other reload since.
   */
  readonly reload: (adopt: (next: Config) => void, asked: Asked, from: 'preview' | 'files') => Reloaded;
  /** Puts other exceptions and pauses into force without reading or building anything else. */
  readonly adopt: (stored: StoredExceptions) => void;
}

/** @throws {ConfigError} where the policy that is to replace one with rules says nothing of any: its end is missing. */
function checkRules({ policyOfFile: before }: Config, { policyOfFile: next, policyFile }: Config): void {
  if (next.rulesLeftOut !== true || before.rules.length === 0) return;
  const inForce = counted(before.rules.length, 'rule');
  throw new ConfigError(
    `${shownPath(policyFile)}: "rules" is missing, so ${inForce} would be dropped; write "rules: []" for none`,
  );
}

/** @throws {ConfigError} where the first configuration cannot be read. */
export function createInForce({ load, sets, demand, refusesLeaf, now, log }: InForceOptions): InForce {
  /** What ended is history, which no decision needs. */
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
        // Who asks for it says that the files are whole.
        if (!settled && asked !== 'by-operator') return 'held';
        const setsNext = sets();
        const changed = fresh !== loaded || setsNext !== setsNow;
        // What an operator asks for is read anew, whatever of it the configuration only names: certificates, passwords.
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
