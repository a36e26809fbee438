/**
 * Reads changed parts of the catalogue ahead of a reload, in small steps. The reload itself is synchronous, to be
 * atomic, and with hundreds of new vendor files it would block every connection for most of a second.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { readBundle } from './bundle.ts';
import type { Bundle } from './bundle.ts';
import { isUnchanged, recall, rememberToo, vendorText } from './known-vendors.ts';
import type { ReadVendor, VendorText } from './known-vendors.ts';
import { statOf } from './stat-of.ts';
import { vendorSchema } from './vendor-schema.ts';
import { attempt, isBundle, readAs } from './vendors.ts';
import type { CatalogueSettings } from './vendors.ts';
import { parsePlainYaml, readText } from './yaml.ts';

/** Milliseconds of work between yields. */
const TURN = 5;

async function filesIn(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((): string[] => []);
  return names.filter((name) => name.endsWith('.yaml')).map((name) => join(dir, name));
}

function hasChanged(file: string): boolean {
  const found = statOf(file);
  return found !== undefined && !isUnchanged(file, found);
}

/** Errors are left for the reload to report. */
async function warm<T>(sources: readonly T[], textOf: (source: T) => VendorText | null): Promise<void> {
  const read: ReadVendor[] = [];
  let begun = performance.now();
  for (const source of sources) {
    attempt([], () => {
      const text = textOf(source);
      if (text === null || recall(text) !== undefined) return;
      read.push({ ...text, vendor: readAs(vendorSchema, parsePlainYaml(text.file, text.text)) });
    });
    if (performance.now() - begun < TURN) continue;
    await setImmediate();
    begun = performance.now();
  }
  if (read.length > 0) rememberToo(read);
}

/** Makes the next reading of a bundle fast. */
export async function warmBundle({ files }: Bundle): Promise<void> {
  await warm(files, ([name, text]) => vendorText(name, text));
}

/** Makes the next reading of the catalogue fast. */
export async function warmCatalogue({ vendors, key }: CatalogueSettings): Promise<void> {
  if (!isBundle(vendors)) {
    await warm(await filesIn(vendors), (file) => (hasChanged(file) ? vendorText(file, readText(file)) : null));
    return;
  }
  const bundle = attempt([], () => readBundle(vendors, key));
  if (bundle !== null) await warmBundle(bundle);
}
