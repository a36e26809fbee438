/** Files in, one validated and frozen object out; or one line that says what is wrong, where, and what to do. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { z } from 'zod';
import type { PolicyDocument } from '../flow.ts';
import { checkVendors } from './catalogue.ts';
import type { VendorSource } from './catalogue.ts';
import { policySchema, toPolicy } from './policy-schema.ts';
import { InvalidConfig, invalidConfig } from './problem.ts';
import type { Finding, Problem } from './problem.ts';
import { checkPolicy } from './references.ts';
import { shape } from './scalars.ts';
import { settingsSchema, toSettings } from './schema.ts';
import type { Config } from './schema.ts';
import { toVendor, vendorSchema } from './vendor-schema.ts';
import { readYaml, unreadable } from './yaml.ts';
import type { YamlFile } from './yaml.ts';

function placed(source: YamlFile, findings: readonly Finding[]): Problem[] {
  return findings.map(({ path, message, onKey = false }) => ({
    file: source.file,
    position: source.at(path, onKey),
    message,
  }));
}

/** The file in the shape of its schema. @throws {InvalidConfig} */
function readAs<T extends z.ZodType>(schema: T, source: YamlFile): z.output<T> {
  const result = shape(schema, source.value);
  if (!result.ok) throw invalidConfig(placed(source, result.findings));
  return result.value;
}

/** The result, or null and its issues on the list, so that one run shows what is wrong in every file. */
function attempt<T>(issues: string[], step: () => T): T | null {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    issues.push(...error.issues);
    return null;
  }
}

function vendorFiles(dir: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir).toSorted();
  } catch (error) {
    const problem = unreadable(dir, error);
    const isFile = (error as NodeJS.ErrnoException).code === 'ENOTDIR';
    const missing = isFile ? 'this is not a folder' : 'there is no such folder';
    const cure = `${missing}; "vendors" in sallyport.yaml names the folder with one file for each vendor`;
    throw invalidConfig([/no such file/.test(problem.message) ? { ...problem, message: cure } : problem]);
  }
  const visible = names.filter((name) => !name.startsWith('.'));
  const yml = visible.find((name) => name.endsWith('.yml'));
  if (yml !== undefined) {
    const message = `vendor files end in .yaml; rename it to ${basename(yml, '.yml')}.yaml`;
    throw invalidConfig([{ file: join(dir, yml), position: null, message }]);
  }
  const files = visible.filter((name) => name.endsWith('.yaml')).map((name) => join(dir, name));
  if (files.length > 0) return files;
  const message = 'the folder has no vendor files; put one <vendor>.yaml for each vendor into it';
  throw invalidConfig([{ file: dir, position: null, message }]);
}

function readPolicy(file: string): { readonly source: YamlFile; readonly document: PolicyDocument } {
  const source = readYaml(file);
  return { source, document: toPolicy(readAs(policySchema, source)) };
}

function readVendors(dir: string): VendorSource[] {
  const issues: string[] = [];
  const vendors = vendorFiles(dir).map((file) =>
    attempt(issues, () => {
      const source = readYaml(file);
      return { source, vendor: readAs(vendorSchema, source) };
    }),
  );
  if (issues.length > 0) throw new InvalidConfig(issues);
  return vendors.filter((vendor) => vendor !== null);
}

function hashOf(sources: readonly YamlFile[]): string {
  const hash = createHash('sha256');
  // The lengths keep text from moving over a file boundary unnoticed.
  for (const { text } of sources) hash.update(`${text.length}\n`).update(text);
  return hash.digest('hex').slice(0, 12);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach(deepFreeze);
  return value;
}

/**
 * Reads sallyport.yaml and the policy file and vendors folder that it names, synchronously.
 *
 * @throws {InvalidConfig} (a ConfigError) whose message is one line, `path/to/file.yaml:LINE:COL: what; cure`, and
 * whose `issues` are all that was found.
 */
export function loadConfig(file: string): Config {
  const own = readYaml(resolve(file));
  const { vendorsDir, ...settings } = toSettings(readAs(settingsSchema, own), own.file);

  const issues: string[] = [];
  const policy = attempt(issues, () => readPolicy(settings.policyFile));
  const vendors = attempt(issues, () => readVendors(vendorsDir));
  if (policy === null || vendors === null) throw new InvalidConfig(issues);

  const files = vendors.map(({ vendor }) => vendor);
  const problems = [...placed(policy.source, checkPolicy(policy.document, files)), ...checkVendors(vendors)];
  if (problems.length > 0) throw invalidConfig(problems);

  const sources = [policy.source, ...vendors.map(({ source }) => source)];
  return deepFreeze({
    ...settings,
    policy: policy.document,
    vendors: files.map(toVendor),
    policyHash: hashOf(sources),
    files: [own, ...sources].map((source) => source.file),
  });
}

/** Every file that the configuration was read from: what a watcher has to watch, with the folders they lie in. */
export function configFiles(config: Config): readonly string[] {
  return config.files;
}
