/**
 * Reads the policy for commands about exceptions and pauses. Those that end one must work even while the policy is
 * broken.
 */
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
  /** False: the policy cannot be read. */
  readonly isWhole: boolean;
  /** The entries; without a policy, those in the file of exceptions. */
  readonly entries: Entries;
  /** @param now epoch milliseconds. */
  readonly terms: (now: number) => EndingTerms;
}

/**
 * Reads the policy or, if that fails, only the file of exceptions, with a warning on standard error.
 *
 * @throws {InvalidConfig} if sallyport.yaml or the file of exceptions cannot be used.
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
 * The configuration, for commands that need vendors and groups.
 *
 * @param what the command, such as `exceptions add`.
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
