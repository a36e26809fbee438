/** A second configuration to compare with: a whole sallyport.yaml, or a policy file alone. */
import { basename, resolve } from 'node:path';
import { loadConfig, loadWithPolicy } from './load.ts';
import type { Config } from './schema.ts';
import { hasKeysOf } from './which-file.ts';
import { readYaml } from './yaml.ts';

function isSettings(file: string): boolean {
  const { value } = readYaml(file);
  if (value === null || value === undefined) return basename(file) === 'sallyport.yaml';
  return hasKeysOf('settings', value);
}

/**
 * @param other a sallyport.yaml, or a policy file, which then takes the place of the one that `base` names.
 * @throws {InvalidConfig}
 */
export function loadOther(other: string, base: string): Config {
  const file = resolve(other);
  return isSettings(file) ? loadConfig(file) : loadWithPolicy(base, file);
}
