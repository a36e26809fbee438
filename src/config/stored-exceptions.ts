/** The file of exceptions as a part of the policy. */
import { ConfigError } from '../errors.ts';
import type { Exception, PolicyDocument, Vendor } from '../flow.ts';
import { shownEntry } from './exception-changes.ts';
import type { Terms } from './exception-changes.ts';
import { endOf, isPause, shownMoment, toException, toPause } from './exception-line.ts';
import type { Shown, StoredLine } from './exception-line.ts';
import { deepFreeze } from './freeze.ts';
import { readExceptions } from './exceptions-file.ts';
import type { Contents } from './exceptions-file.ts';
import type { Config } from './schema.ts';
import { checkEntry, namesOf, unknownVendor } from './references.ts';

export interface StoredExceptions {
  readonly contents: Contents;
  /** Why the file is unusable, in one line; null if it is usable. `contents` are the last good ones. */
  readonly problem: string | null;
}

export function noneStored(file: string): StoredExceptions {
  return { contents: { file, raw: [], lines: new Map() }, problem: null };
}

/** Reads the file, or keeps the contents of `before`, and says why. Never throws. */
export function readStored(file: string, before?: StoredExceptions): StoredExceptions {
  const last = before?.contents.file === file ? before.contents : undefined;
  try {
    return { contents: readExceptions(file, last), problem: null };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { contents: last ?? noneStored(file).contents, problem: error.message };
  }
}

/**
 * The configuration with these exceptions and pauses. @param since entries that ended before are left out; epoch
 * milliseconds.
 */
export function withStored(config: Config, stored: StoredExceptions, since: number): Config {
  const own = config.policyOfFile;
  const lines = [...stored.contents.lines.values()].filter((line) => endOf(line) > since);
  const policy: PolicyDocument = {
    ...own,
    exceptions: [...own.exceptions, ...lines.flatMap((line) => (isPause(line) ? [] : [toException(line)]))],
    pauses: lines.flatMap((line) => (isPause(line) ? [toPause(line)] : [])),
  };
  return deepFreeze({ ...config, policy, stored });
}

/** Entries in the file about something that policy and catalogue no longer know, one line each. */
export function strayStored(own: PolicyDocument, vendors: readonly Vendor[], lines: Iterable<StoredLine>): string[] {
  const names = namesOf(own, vendors);
  const ids = new Set([...own.rules, ...own.exceptions].map(({ id }) => id));
  return [...lines].flatMap((stored) => {
    const findings = isPause(stored)
      ? [stored.pause === '*' ? null : unknownVendor(stored.pause, names)]
      : checkEntry({ ...toException(stored), groups: stored.groups }, [], names).map(({ message }) => message);
    const twice = ids.has(stored.id) ? ['the policy file has the same id; rename one of the two'] : [];
    return [...findings.filter((message) => message !== null), ...twice].map((message) => `"${stored.id}": ${message}`);
  });
}

/** What changes are validated against. */
export function termsOf({ policyOfFile, vendors }: Pick<Config, 'policyOfFile' | 'vendors'>, now: number): Terms {
  return {
    names: namesOf(policyOfFile, vendors),
    taken: new Set([...policyOfFile.rules, ...policyOfFile.exceptions].map(({ id }) => id)),
    timeZone: policyOfFile.timeZone ?? 'UTC',
    now,
  };
}

/** An exception of the policy file in the form of those in the file of exceptions. */
function shownException(exception: Exception, now: number): Shown {
  const { id, what, groups, from, until, approvedBy, ticket, reason } = exception;
  const iso = (at: number | undefined): string | undefined => (at === undefined ? undefined : shownMoment(at));
  const state = until <= now ? 'ended' : (from ?? now) > now ? 'scheduled' : 'active';
  const facts = { id, ...what, groups, from: iso(from), until: iso(until), approved_by: approvedBy, ticket, reason };
  return { ...facts, state, source: 'policy' };
}

export interface Entries {
  readonly policyOfFile: Pick<PolicyDocument, 'exceptions'>;
  readonly stored: StoredExceptions;
}

/** The entries of the policy file and of the file of exceptions; with `all`, including those that have ended. */
export function listEntries({ policyOfFile, stored }: Entries, all: boolean, now: number) {
  const lines = [...stored.contents.lines.values()].filter((line) => all || endOf(line) > now);
  const own = policyOfFile.exceptions.filter(({ until }) => all || until > now);
  const show = (line: StoredLine): Shown => ({ ...shownEntry(line, now), source: 'exceptions' });
  return {
    exceptions: [
      ...own.map((exception) => shownException(exception, now)),
      ...lines.filter((line) => !isPause(line)).map(show),
    ],
    pauses: lines.filter(isPause).map(show),
  };
}
