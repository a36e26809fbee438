/** Reads the vendor files: a folder of them, or a signed bundle, with an operator's overlay on top. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { readBundle } from './bundle.ts';
import type { Bundle } from './bundle.ts';
import { checkVendors } from './catalogue.ts';
import type { VendorSource } from './catalogue.ts';
import { applyOverlay, asVendor, overlaySchema } from './overlay.ts';
import type { OverlaySource } from './overlay.ts';
import { isSound, markSound, recall, remember, unchangedOr, vendorText } from './known-vendors.ts';
import type { VendorText } from './known-vendors.ts';
import { InvalidConfig, invalidConfig } from './problem.ts';
import type { Finding, Problem } from './problem.ts';
import { shape } from './scalars.ts';
import { vendorSchema } from './vendor-schema.ts';
import type { VendorFile } from './vendor-schema.ts';
import type { UpdateSettings } from './update-settings.ts';
import { parsePlainYaml, readPlainYaml, readText, unread, unreadable } from './yaml.ts';
import type { YamlFile } from './yaml.ts';

/** Where the catalogue comes from. */
export interface CatalogueSettings {
  /** A folder with one file per vendor, or a bundle made by `sallyport catalog bundle`. */
  readonly vendors: string;
  /** The public key that a bundle must be signed with. */
  readonly key: string | null;
  /** A folder of overlays; null if there is none. */
  readonly overlay: string | null;
  /** Where a newer bundle is fetched from; null or left out: nowhere. */
  readonly updates?: UpdateSettings | null | undefined;
}

export interface Catalogue {
  readonly vendors: readonly VendorFile[];
  /** The first 12 hexadecimal digits of the SHA-256 of all files. */
  readonly version: string;
  /** The latest day on which an entry was checked, or null if none says. */
  readonly checked: string | null;
  readonly overlaid: number;
  /** When the fetched bundle was created, ISO 8601; null for the catalogue of the program. */
  readonly fetched: string | null;
  /** Why a fetched copy is not used; null if there is none, or it is used. */
  readonly unused: string | null;
  readonly sources: readonly YamlFile[];
  /** Every file that was read, by its own name. */
  readonly files: readonly string[];
}

export function placed(source: YamlFile, findings: readonly Finding[]): Problem[] {
  return findings.map(({ path, message, onKey = false }) => ({
    file: source.file,
    position: source.at(path, onKey),
    message,
  }));
}

/** Validates a file against its schema. @throws {InvalidConfig} */
export function readAs<T extends z.ZodType>(schema: T, source: YamlFile): z.output<T> {
  const result = shape(schema, source.value);
  if (!result.ok) throw invalidConfig(placed(source, result.findings));
  return result.value;
}

/** The result, or null after adding its problems to the list, so that one run reports all files. */
export function attempt<T>(problems: Problem[], step: () => T): T | null {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    problems.push(...error.problems);
    return null;
  }
}

function yamlFiles(dir: string, key: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir).toSorted();
  } catch (error) {
    const problem = unreadable(dir, error);
    const isFile = (error as NodeJS.ErrnoException).code === 'ENOTDIR';
    const missing = isFile ? 'this is not a folder' : 'there is no such folder';
    const cure = `${missing}; set "${key}" in sallyport.yaml to the folder with one file for each vendor`;
    throw invalidConfig([/no such file/.test(problem.message) ? { ...problem, message: cure } : problem]);
  }
  const visible = names.filter((name) => !name.startsWith('.'));
  const yml = visible.find((name) => name.endsWith('.yml'));
  if (yml !== undefined) {
    const message = `vendor files end in .yaml; rename it to ${basename(yml, '.yml')}.yaml`;
    throw invalidConfig([{ file: join(dir, yml), position: null, message }]);
  }
  return visible.filter((name) => name.endsWith('.yaml')).map((name) => join(dir, name));
}

function folder(dir: string): VendorText[] {
  const files = yamlFiles(dir, 'vendors');
  const found: Problem[] = [];
  const texts = unchangedOr(files, (file) => attempt(found, () => vendorText(file, readText(file))));
  if (found.length > 0) throw new InvalidConfig(found);
  if (files.length > 0) return texts;
  const message = 'the folder has no vendor files; put one <vendor>.yaml for each vendor into it';
  throw invalidConfig([{ file: dir, position: null, message }]);
}

export function isBundle(path: string): boolean {
  return path.endsWith('.json');
}

/** The folders that it is read from; a bundle is a file. */
export function catalogueFolders({ vendors, overlay }: Pick<CatalogueSettings, 'vendors' | 'overlay'>): string[] {
  return [vendors, overlay].filter((path) => path !== null).filter((path) => !isBundle(path));
}

function bundled(file: string, bundle: Bundle): VendorText[] {
  return bundle.files.map(([name, text]) => vendorText(join(file, name), text));
}

function shaped<T extends z.ZodType>(schema: T, sources: readonly YamlFile[]): z.output<T>[] {
  const found: Problem[] = [];
  const read = sources.map((source) => attempt(found, () => readAs(schema, source)));
  if (found.length > 0) throw new InvalidConfig(found);
  return read.filter((file) => file !== null);
}

let lastFolder: readonly KnownSource[] = [];

/**
 * The validated vendor files of a folder or bundle; for a folder the same object if no file has changed. @throws
 * {InvalidConfig}
 */
export function readVendors(path: string, key: string | null): readonly KnownSource[] {
  if (isBundle(path)) return vendorSources(bundled(path, readBundle(path, key)));
  const texts = folder(path);
  const asBefore = texts.length === lastFolder.length && texts.every((text, i) => text === lastFolder[i]?.text);
  if (!asBefore) lastFolder = vendorSources(texts);
  return lastFolder;
}

interface KnownSource extends VendorSource {
  readonly text: VendorText;
}

/** Validates each text, unless it is cached. @throws {InvalidConfig} */
function vendorSources(texts: readonly VendorText[]): readonly KnownSource[] {
  const found: Problem[] = [];
  const parsed = texts.flatMap((text) => {
    const vendor = recall(text);
    const read = vendor === undefined ? parsePlainYaml : unread;
    const source = attempt(found, () => read(text.file, text.text));
    return source === null ? [] : [{ text, source, vendor }];
  });
  if (found.length > 0) throw new InvalidConfig(found);
  const sources = parsed.flatMap(({ text, source, vendor }): KnownSource[] => {
    const known = vendor ?? attempt(found, () => readAs(vendorSchema, source));
    return known === null ? [] : [{ text, source, vendor: known }];
  });
  if (found.length > 0) throw new InvalidConfig(found);
  remember(sources.map(({ text, vendor }) => ({ ...text, vendor })));
  return sources;
}

/** The validated vendor files of a bundle. @throws {InvalidConfig} */
export function readBundleVendors(file: string, bundle: Bundle): readonly VendorSource[] {
  return vendorSources(bundled(file, bundle));
}

/** Problems between the files, which are searched once for each set. */
function between(own: readonly KnownSource[]): Problem[] {
  const texts = own.map(({ text }) => text);
  if (isSound(texts)) return [];
  const problems = checkVendors(own);
  if (problems.length === 0) markSound(texts);
  return problems;
}

function readOverlay(dir: string): OverlaySource[] {
  const sources = yamlFiles(dir, 'vendors_overlay').map(readPlainYaml);
  const files = shaped(overlaySchema, sources);
  return sources.flatMap((source, i) => {
    const overlay = files[i];
    return overlay === undefined ? [] : [{ source, overlay }];
  });
}

/** The first 12 hexadecimal digits of the SHA-256 over all texts. */
export function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  // Lengths, so that text cannot move between files unnoticed.
  for (const text of texts) hash.update(`${text.length}\n`).update(text);
  return hash.digest('hex').slice(0, 12);
}

function lastChecked(vendors: readonly VendorFile[]): string | null {
  const days = vendors.flatMap(({ products }) =>
    products.flatMap(({ hosts }) => hosts.flatMap(({ checked }) => checked ?? [])),
  );
  return days.reduce<string | null>((last, day) => (last === null || day > last ? day : last), null);
}

interface Own {
  readonly vendors: readonly KnownSource[];
  readonly files: readonly string[];
  readonly fetched: string | null;
  readonly unused: string | null;
}

/** The catalogue of the program, or the configured one. */
function configured({ vendors: from, key }: CatalogueSettings): Own {
  const vendors = readVendors(from, key);
  const files = isBundle(from) ? [from, ...(key === null ? [] : [key])] : vendors.map(({ source }) => source.file);
  return { vendors, files, fetched: null, unused: null };
}

/** @throws {InvalidConfig} if the bundle is older than the catalogue without it. */
function updated(bundle: Bundle, file: string, own: Own): Own {
  const since = lastChecked(own.vendors.map(({ vendor }) => vendor));
  if (since !== null && bundle.created.slice(0, 10) < since) {
    const message = `it was made on ${bundle.created.slice(0, 10)}, before the present catalogue of ${since}`;
    throw invalidConfig([{ file, position: null, message: `${message}; make it again` }]);
  }
  const vendors = vendorSources(bundled(file, bundle));
  return { vendors, files: own.files, fetched: bundle.created, unused: null };
}

/** The copy of the last fetch if it is valid, otherwise the catalogue without it: a start never fails because of it. */
function lastFetched({ updates, key }: CatalogueSettings, own: Own): Own {
  if (updates === null || updates === undefined || !existsSync(updates.file)) return own;
  try {
    const copy = updated(readBundle(updates.file, key), updates.file, own);
    const [problem] = between(copy.vendors);
    if (problem !== undefined) throw invalidConfig([problem]);
    return copy;
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    return { ...own, unused: error.message };
  }
}

/** The last catalogue with its sources, so that a reload for another reason gets the same object at once. */
let last: { readonly key: string; readonly vendors: Own['vendors']; readonly catalogue: Catalogue } | null = null;

function isSameSet(one: Own['vendors'], other: Own['vendors']): boolean {
  const isSame = ({ text }: KnownSource, i: number): boolean =>
    text.file === other[i]?.text.file && text.digest === other[i].text.digest;
  return one === other || (one.length === other.length && one.every(isSame));
}

/**
 * The catalogue: vendor files with overlays, each validated by itself and together. Returns the same object as before
 * if nothing has changed.
 *
 * @param candidate a bundle to try in place of the last fetched copy.
 * @throws {InvalidConfig} with everything that is wrong.
 */
export function readCatalogue(settings: CatalogueSettings, candidate?: Bundle): Catalogue {
  const there = configured(settings);
  const from =
    candidate === undefined ? lastFetched(settings, there) : updated(candidate, 'the fetched catalogue', there);
  const overlays = settings.overlay === null ? [] : readOverlay(settings.overlay);
  const key = JSON.stringify([
    settings,
    from.fetched,
    from.unused,
    overlays.map(({ source }) => [source.file, source.text]),
  ]);
  const asBefore = last?.key === key && isSameSet(last.vendors, from.vendors);
  if (last === null || !asBefore) last = { key, vendors: from.vendors, catalogue: put(from, overlays) };
  return last.catalogue;
}

function put(from: Own, overlays: readonly OverlaySource[]): Catalogue {
  const own = from.vendors;
  const ids = own.map(({ vendor }) => vendor.id);
  const problems = [
    ...between(own),
    ...checkVendors(
      overlays.map(({ source, overlay }) => ({ source, vendor: asVendor(overlay) })),
      ids,
    ),
  ];
  const base = own.map(({ vendor }) => vendor);
  const { vendors, findings } = applyOverlay(base, overlays);
  problems.push(...findings.flatMap(({ source, finding }) => placed(source, [finding])));
  if (problems.length > 0) throw invalidConfig(problems);
  const sources = [...own, ...overlays].map(({ source }) => source);
  const files = [...from.files, ...overlays.map(({ source }) => source.file)];
  return {
    vendors,
    version: hashOf(sources.map(({ text }) => text)),
    checked: lastChecked(vendors),
    overlaid: overlays.length,
    fetched: from.fetched,
    unused: from.unused,
    sources,
    files,
  };
}
