/** A second configuration to compare with: a whole sallyport.yaml, or a policy file alone. */
import { basename, resolve } from 'node:path';
import { loadConfig, loadWithPolicy } from './load.ts';
import { policySchema } from './policy-schema.ts';
import type { Config } from './schema.ts';
import { settingsSchema } from './schema.ts';
import { readYaml } from './yaml.ts';

/** The keys that only sallyport.yaml has: `exceptions`, for one, is in both files. */
const settingsOnly = new Set(Object.keys(settingsSchema.shape));
for (const key of Object.keys(policySchema.shape)) settingsOnly.delete(key);

function isSettings(file: string): boolean {
  const { value } = readYaml(file);
  if (value === null || value === undefined) return basename(file) === 'sallyport.yaml';
  return typeof value === 'object' && Object.keys(value).some((key) => settingsOnly.has(key));
}

/**
 * @param other a sallyport.yaml, or a policy file, which then takes the place of the one that `base` names.
 * @throws {InvalidConfig}
 */
export function loadOther(other: string, base: string): Config {
  const file = resolve(other);
  return isSettings(file) ? loadConfig(file) : loadWithPolicy(base, file);
}
