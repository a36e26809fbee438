/**
 * All files that the configuration names, existing or not. After a failed load the proxy watches them all, as any of
 * them may have been missing.
 */
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../errors.ts';
import { listFiles, readPolicy } from './load.ts';
import { settingsSchema, toSettings } from './schema.ts';
import type { Settings, SettingsFile } from './schema.ts';
import { catalogueFolders, isBundle, readAs } from './vendors.ts';
import type { Watched } from './watch.ts';
import { readYaml } from './yaml.ts';

/** An unreadable file names nothing; the failed reload has reported it. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

/** Those that a reload requires, besides policy and catalogue. */
function ofClients({ clients }: Settings): string[] {
  const source = clients.authentication?.source;
  const file = source?.kind === 'file' ? source.file : source?.caFile;
  return typeof file === 'string' ? [file] : [];
}

/** The logo is read with the settings, which are unavailable without it. */
function logoOf(given: SettingsFile, file: string): string[] {
  const { logo } = given.pages.company;
  return logo === undefined ? [] : [resolve(dirname(file), logo)];
}

/** The policy is checked repeatedly until the failure is fixed, and parsed only if its text has changed. */
let policyBefore: ReturnType<typeof readPolicy> | null = null;

/** @param file sallyport.yaml, absolute. */
export function filesNamed(file: string): Watched {
  const given = orNull(() => readAs(settingsSchema, readYaml(file)));
  if (given === null) return { files: [file], folders: [] };
  const own = [file, ...logoOf(given, file)];
  const settings = orNull(() => toSettings(given, file));
  if (settings === null) return { files: own, folders: [] };
  const { policyFile, catalogueFrom } = settings;
  policyBefore = orNull(() => readPolicy(policyFile, dirname(policyFile), policyBefore ?? undefined));
  const { vendors, key } = catalogueFrom;
  const catalogue = isBundle(vendors) ? [vendors, ...(key === null ? [] : [key])] : [];
  const lists = policyBefore === null ? [] : listFiles(policyBefore.document);
  return {
    files: [...own, policyFile, ...lists, ...catalogue, ...ofClients(settings)],
    folders: catalogueFolders(catalogueFrom),
  };
}
