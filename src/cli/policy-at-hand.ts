/** The policy, for commands about exceptions and pauses: what ends one must work on a day when the policy is broken. */
import type { EndingTerms } from '../config/exception-changes.ts';
import { readExceptions } from '../config/exceptions-file.ts';
import { loadConfig, settingsOf, tryConfig } from '../config/load.ts';
import { InvalidConfig } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { termsOf, withStored, type Entries } from '../config/stored-exceptions.ts';
import { ConfigError } from '../errors.ts';
import type { Io } from './verb.ts';

export interface AtHand {
  readonly exceptionsFile: string;
  /** False: it cannot be read. */
  readonly isWhole: boolean;
  /** What there is to list: without a policy what has a file of its own. */
  readonly entries: Entries;
  /** @param now epoch milliseconds. */
  readonly terms: (now: number) => EndingTerms;
}

/**
 * What is there, with the policy or, where that cannot be read, without it, which standard error is told.
 *
 * @throws {InvalidConfig} where sallyport.yaml or the file of exceptions cannot be used.
 */
export function policyAtHand(file: string, io: Io): AtHand {
  const { exceptionsFile } = settingsOf(file);
  const stored = { contents: readExceptions(exceptionsFile), problem: null };
  try {
    const config = withStored(tryConfig(file), stored, -Infinity);
    return { exceptionsFile, isWhole: true, entries: config, terms: (now) => termsOf(config, now) };
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    io.err(`note: the policy is left out, because it cannot be read: ${error.message}`);
    const entries = { policyOfFile: { exceptions: [] }, stored };
    return { exceptionsFile, isWhole: false, entries, terms: (now) => ({ names: null, taken: new Set(), now }) };
  }
}

/**
 * The configuration, for what names vendors and groups.
 *
 * @param what the command, as in `exceptions add`.
 * @throws {ConfigError}
 */
export function wholePolicy(what: string, file: string): Config {
  settingsOf(file);
  try {
    return loadConfig(file);
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    throw new ConfigError(`${what}: nothing was made, because names cannot be checked: ${error.message}`);
  }
}
