/**
 * What the configuration in the files names, whether it is there or not. A proxy whose last reading failed watches all
 * of it: any of it may be what was missing.
 */
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../errors.ts';
import { listFiles, readPolicy } from './load.ts';
import { settingsSchema, toSettings } from './schema.ts';
import type { Settings, SettingsFile } from './schema.ts';
import { catalogueFolders, isBundle, readAs } from './vendors.ts';
import type { Watched } from './watch.ts';
import { readYaml } from './yaml.ts';

/** What cannot be read names nothing; the reload that failed has said why. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

/** Those that a reload refuses to be without, beside the policy and the catalogue. */
function ofClients({ clients }: Settings): string[] {
  const source = clients.authentication?.source;
  const file = source?.kind === 'file' ? source.file : source?.caFile;
  return typeof file === 'string' ? [file] : [];
}

/** The logo alone is read with the settings, which name nothing at all without it. */
function logoOf(given: SettingsFile, file: string): string[] {
  const { logo } = given.pages.company;
  return logo === undefined ? [] : [resolve(dirname(file), logo)];
}

/** A policy is looked at again and again until the failure is mended, and parsed only where its text is another. */
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
