/** Decides whether a fetched bundle may replace the catalogue in force. */
import { existsSync, openSync, closeSync, fsyncSync, renameSync, rmSync, writeSync } from 'node:fs';
import { parseBundle, readBundle } from './bundle.ts';
import type { Bundle } from './bundle.ts';
import { hostEntries } from './catalogue.ts';
import { diffCatalogues } from './catalogue-diff.ts';
import type { Changes } from './catalogue-diff.ts';
import { lintVendors } from './catalogue-lint.ts';
import { InvalidConfig, invalidConfig } from './problem.ts';
import { readBundleVendors, readCatalogue } from './vendors.ts';
import type { CatalogueSettings } from './vendors.ts';
import type { UpdateSettings } from './update-settings.ts';

/** A bundle that may be adopted, and what it would change. */
export interface Update {
  readonly bundle: Bundle;
  readonly changes: Changes;
}

/** Name of a bundle in messages before it has a file. */
const FETCHED = 'the fetched catalogue';

/** Milliseconds. Clocks differ, but a bundle from the far future would keep all later ones out. */
const MAX_AHEAD = 86_400_000;

function refused(message: string): InvalidConfig {
  return invalidConfig([{ file: FETCHED, position: null, message }]);
}

/** The copy of the last fetch, if it is valid. */
function copyOf({ file }: UpdateSettings, key: string | null): Bundle | null {
  if (!existsSync(file)) return null;
  try {
    return readBundle(file, key);
  } catch (error) {
    if (error instanceof InvalidConfig) return null;
    throw error;
  }
}

/**
 * Validates a fetched bundle: signature, age, each file, references between files, and what it would remove.
 *
 * @returns null if it is the current one.
 * @throws {InvalidConfig} saying why it is rejected.
 */
export function judgeUpdate(
  text: string,
  from: CatalogueSettings,
  updates: UpdateSettings,
  now: number,
): Update | null {
  const bundle = parseBundle(FETCHED, text, from.key);
  const copy = copyOf(updates, from.key);
  if (copy !== null && JSON.stringify(copy) === JSON.stringify(bundle)) return null;
  if (copy !== null && bundle.created <= copy.created) {
    throw refused(
      `it was made at ${bundle.created}, which is not later than the present one of ${copy.created}; make it again`,
    );
  }
  if (Date.parse(bundle.created) > now + MAX_AHEAD) {
    throw refused(
      `it was made at ${bundle.created}, which is in the future; correct the clock of the machine that makes it`,
    );
  }
  const after = readBundleVendors(FETCHED, bundle);
  const problems = lintVendors(after);
  if (problems.length > 0) throw invalidConfig(problems);
  const before = readCatalogue({ ...from, overlay: null }).vendors;
  const changes = diffCatalogues(
    before,
    after.map(({ vendor }) => vendor),
  );
  const hosts = before.reduce((sum, vendor) => sum + hostEntries(vendor).length, 0);
  const share = (100 * changes.hosts.removed.length) / Math.max(1, hosts);
  if (share > updates.maxRemoved) {
    const message = `it removes ${changes.hosts.removed.length} of ${hosts} hosts, more than ${updates.maxRemoved}%`;
    throw refused(`${message}; if that is intended, raise "max_removed" of "vendors_fetch"`);
  }
  return { bundle, changes };
}

/** Writes the copy; at any time there is either the new one or the old one. @throws {Error} naming the file. */
export function keepCopy(file: string, text: string): void {
  const written = `${file}.new`;
  try {
    const handle = openSync(written, 'w', 0o644);
    try {
      writeSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(written, file);
  } catch (error) {
    rmSync(written, { force: true });
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const cure = 'set "file" of "vendors_fetch" to a place that can be written';
    throw new Error(`the copy cannot be written to ${file} (${code}); ${cure}`, { cause: error });
  }
}
