/** Files in, one validated and frozen object out; or one line that says what is wrong, where, and what to do. */
import { resolve } from 'node:path';
import type { PolicyDocument } from '../flow.ts';
import type { Bundle } from './bundle.ts';
import { readPasswords } from './password-file.ts';
import { toPolicy } from './policy-document.ts';
import { policySchema } from './policy-schema.ts';
import { InvalidConfig, invalidConfig } from './problem.ts';
import { checkPolicy } from './references.ts';
import { settingsSchema, toSettings } from './schema.ts';
import type { Config } from './schema.ts';
import { toVendor } from './vendor-schema.ts';
import { attempt, hashOf, placed, readAs, readCatalogue } from './vendors.ts';
import type { CatalogueSettings } from './vendors.ts';
import { readYaml } from './yaml.ts';
import type { YamlFile } from './yaml.ts';

function readPolicy(file: string): { readonly source: YamlFile; readonly document: PolicyDocument } {
  const source = readYaml(file);
  return { source, document: toPolicy(readAs(policySchema, source)) };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach(deepFreeze);
  return value;
}

/**
 * Reads sallyport.yaml and the policy file and the catalogue that it names, synchronously.
 *
 * @throws {InvalidConfig} (a ConfigError) whose message is one line, `path/to/file.yaml:LINE:COL: what; cure`, and
 * whose `issues` are all that was found.
 */
export function loadConfig(file: string): Config {
  return tryConfig(file);
}

/**
 * As {@link loadConfig}.
 *
 * @param candidate a bundle that is to be tried in the place of the catalogue that was fetched last.
 * @param policyFile read instead of the one that sallyport.yaml names.
 */
export function tryConfig(file: string, candidate?: Bundle, policyFile?: string): Config {
  const own = readYaml(resolve(file));
  const given = toSettings(readAs(settingsSchema, own), own.file);
  const settings = policyFile === undefined ? given : { ...given, policyFile: resolve(policyFile) };

  const issues: string[] = [];
  const policy = attempt(issues, () => readPolicy(settings.policyFile));
  const catalogue = attempt(issues, () => readCatalogue(settings.catalogueFrom, candidate));
  if (policy === null || catalogue === null) throw new InvalidConfig(issues);

  const { authentication } = settings.clients;
  if (authentication !== null) readPasswords(authentication.passwordFile);

  const problems = placed(policy.source, checkPolicy(policy.document, catalogue.vendors));
  if (problems.length > 0) throw invalidConfig(problems);

  const { vendors, version, checked, overlaid, fetched, unused } = catalogue;
  return deepFreeze({
    ...settings,
    policy: policy.document,
    vendors: vendors.map(toVendor),
    catalogue: { version, checked, overlaid, fetched, unused },
    policyHash: hashOf([policy.source, ...catalogue.sources]),
    files: [own.file, policy.source.file, ...catalogue.files],
  });
}

/** Where the catalogue of a configuration comes from, without a look at its policy. @throws {InvalidConfig} */
export function catalogueSettings(file: string): CatalogueSettings {
  const own = readYaml(resolve(file));
  return toSettings(readAs(settingsSchema, own), own.file).catalogueFrom;
}

/** Every file that the configuration was read from: what a watcher has to watch, with the folders they lie in. */
export function configFiles(config: Config): readonly string[] {
  return config.files;
}
