/** Loads a second configuration for a comparison: a sallyport.yaml, or just a policy file. */
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
 * @param other a sallyport.yaml, or a policy file that replaces the one in `base`.
 * @throws {InvalidConfig}
 */
export function loadOther(other: string, base: string): Config {
  const file = resolve(other);
  return isSettings(file) ? loadConfig(file) : loadWithPolicy(base, file);
}
