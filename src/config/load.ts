/** Loads the files into one validated, frozen object, or reports in one line what is wrong, where, and what to do. */
import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { PolicyDocument, Vendor } from '../flow.ts';
import type { Bundle } from './bundle.ts';
import { readExceptions } from './exceptions-file.ts';
import { deepFreeze } from './freeze.ts';
import { readLdapAuthorities } from './ldap-schema.ts';
import { readPasswords } from './password-file.ts';
import { toPolicy } from './policy-document.ts';
import { policySchema } from './policy-schema.ts';
import { InvalidConfig, invalidConfig, shownPath } from './problem.ts';
import type { Finding, Path, Problem } from './problem.ts';
import { checkPolicy } from './references.ts';
import { settingsSchema, toSettings } from './schema.ts';
import type { Config, Settings } from './schema.ts';
import { noneStored, withStored } from './stored-exceptions.ts';
import { toVendor } from './vendor-schema.ts';
import type { VendorFile } from './vendor-schema.ts';
import { attempt, hashOf, placed, readAs, readCatalogue } from './vendors.ts';
import type { Catalogue } from './vendors.ts';
import { expectKind } from './which-file.ts';
import { parsePlainYaml, readPlainYaml, readText, unreadable } from './yaml.ts';
import type { YamlFile } from './yaml.ts';

interface ReadPolicy {
  readonly source: YamlFile;
  readonly home: string;
  readonly document: PolicyDocument;
}

/**
 * @param home the folder of the policy that this one replaces: files that it names are looked for there, unless they
 *   exist next to it.
 */
export function readPolicy(file: string, home: string, before: ReadPolicy | undefined): ReadPolicy {
  const text = readText(file);
  if (before?.source.file === file && before.home === home && before.source.text === text) return before;
  const source = parsePlainYaml(file, text);
  expectKind('policy', source);
  const path = (name: string): string => {
    const beside = resolve(dirname(file), name);
    return existsSync(beside) ? beside : resolve(home, name);
  };
  return { source, home, document: toPolicy(readAs(policySchema, source), path) };
}

function whyNoFile(file: string): string | null {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return null;
  } catch (error) {
    return `${file}: ${unreadable(file, error).message}`;
  }
  return `there is no file ${file}; create it, or correct the path`;
}

/** A fetched list may come later; a local file has to exist. */
function missingLists({ lists = [] }: PolicyDocument): Finding[] {
  return lists.flatMap(({ id, file, url }) => {
    const message = url === null ? whyNoFile(file) : null;
    return message === null ? [] : [{ path: ['lists', id, 'file'], message }];
  });
}

/** Reports a missing file at the line that names it, if there is one. */
function whereNamed(own: YamlFile, problem: Problem, named: Readonly<Record<string, string | null>>): Problem {
  const [key] = Object.entries(named).find(([, file]) => file === problem.file) ?? [];
  const given = typeof own.value === 'object' && own.value !== null && key !== undefined && key in own.value;
  if (!given || existsSync(problem.file)) return problem;
  return missing(own, [key], problem);
}

function missing(own: YamlFile, path: Path, { file, message }: Pick<Problem, 'file' | 'message'>): Problem {
  return { file: own.file, position: own.at(path, false), message: `${shownPath(file)}: ${message}` };
}

function readNamed(own: YamlFile, path: Path, file: string, read: (file: string) => unknown): void {
  const message = 'there is no such file; create it, or correct the path';
  if (!existsSync(file)) throw invalidConfig([missing(own, path, { file, message })]);
  read(file);
}

/** The result of the last load, so that a reload processes only what has changed. */
interface Loaded {
  readonly settings: string;
  readonly policy: ReadPolicy;
  readonly catalogue: Catalogue;
  readonly config: Config;
}

let last: Loaded | null = null;

const vendorsMade = new WeakMap<VendorFile, Vendor>();

/** Converted once for each vendor file, so that hundreds are not converted again. */
function vendorOf(file: VendorFile): Vendor {
  const made = vendorsMade.get(file) ?? deepFreeze(toVendor(file));
  vendorsMade.set(file, made);
  return made;
}

const listsMade = new WeakMap<readonly VendorFile[], readonly Vendor[]>();

function vendorsOf(files: readonly VendorFile[]): readonly Vendor[] {
  const made = listsMade.get(files) ?? Object.freeze(files.map(vendorOf));
  listsMade.set(files, made);
  return made;
}

/**
 * Reads sallyport.yaml and everything that it names: policy, exceptions, catalogue. Synchronous.
 *
 * @throws {InvalidConfig} (a ConfigError) whose message is one line, `path/to/file.yaml:LINE:COL: what; cure`, and
 *   whose `issues` has all problems.
 */
export function loadConfig(file: string): Config {
  return withExceptions(tryConfig(file));
}

/** As {@link loadConfig}, with another policy file than the one in sallyport.yaml. */
export function loadWithPolicy(file: string, policyFile: string): Config {
  return withExceptions(tryConfig(file, undefined, policyFile));
}

function withExceptions(config: Config): Config {
  const stored = { contents: readExceptions(config.exceptionsFile), problem: null };
  return withStored(config, stored, -Infinity);
}

/**
 * As {@link loadConfig}, without the file of exceptions, which a running proxy follows separately. Returns the same
 * object as before if nothing has changed.
 *
 * @param candidate a bundle to try in place of the last fetched catalogue.
 * @param policyFile replaces the one in sallyport.yaml.
 */
export function tryConfig(file: string, candidate?: Bundle, policyFile?: string): Config {
  const own = readPlainYaml(resolve(file));
  expectKind('settings', own);
  const given = toSettings(readAs(settingsSchema, own), own.file);
  const settings = policyFile === undefined ? given : { ...given, policyFile: resolve(policyFile) };

  const found: Problem[] = [];
  const { vendors: folder, key, overlay } = settings.catalogueFrom;
  const policyNamed = policyFile === undefined ? settings.policyFile : null;
  const named = { policy: policyNamed, vendors: folder, vendors_key: key, vendors_overlay: overlay };
  const policy = attempt(found, () => readPolicy(settings.policyFile, dirname(given.policyFile), last?.policy));
  const catalogue = attempt(found, () => readCatalogue(settings.catalogueFrom, candidate));
  if (policy === null || catalogue === null) throw new InvalidConfig(found.map((one) => whereNamed(own, one, named)));
  const told = JSON.stringify(settings);
  if (last?.settings === told && last.policy === policy && last.catalogue === catalogue) return last.config;

  const from = settings.clients.authentication?.source;
  const user = ['clients', 'authentication'];
  if (from?.kind === 'file') readNamed(own, [...user, 'password_file'], from.file, readPasswords);
  else if (typeof from?.caFile === 'string') {
    readNamed(own, [...user, 'ldap', 'ca_file'], from.caFile, readLdapAuthorities);
  }

  const problems = placed(policy.source, [
    ...checkPolicy(policy.document, catalogue.vendors),
    ...missingLists(policy.document),
  ]);
  if (problems.length > 0) throw invalidConfig(problems);

  const { vendors, version, checked, overlaid, fetched, unused } = catalogue;
  const config = deepFreeze({
    ...settings,
    policy: policy.document,
    policyOfFile: policy.document,
    stored: noneStored(settings.exceptionsFile),
    vendors: vendorsOf(vendors),
    catalogue: { version, checked, overlaid, fetched, unused },
    policyHash: hashOf([policy.source.text, version]),
    files: [own.file, policy.source.file, ...listFiles(policy.document), ...catalogue.files],
  });
  last = { settings: told, policy, catalogue, config };
  return config;
}

/** Lists in local files. */
export function listFiles({ lists = [] }: PolicyDocument): string[] {
  return lists.filter(({ url }) => url === null).map(({ file }) => file);
}

/** The settings of sallyport.yaml, without reading the policy. @throws {InvalidConfig} */
export function settingsOf(file: string): Settings {
  const own = readPlainYaml(resolve(file));
  expectKind('settings', own);
  return toSettings(readAs(settingsSchema, own), own.file);
}

/** Every file that the configuration was read from, to be watched together with their folders. */
export function configFiles(config: Config): readonly string[] {
  return config.files;
}
