/**
 * Recognises which of the two YAML files a document is. Both have `exceptions`, so keys that only one of them has
 * decide.
 */
import { policySchema } from './policy-schema.ts';
import { invalidConfig } from './problem.ts';
import { settingsSchema } from './schema.ts';
import type { YamlFile } from './yaml.ts';

const settingsKeys = new Set(Object.keys(settingsSchema.shape));
const policyKeys = new Set(Object.keys(policySchema.shape));

/** Whether the document has a key that only one of the two files has. */
export function hasKeysOf(kind: 'settings' | 'policy', value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const [own, other] = kind === 'settings' ? [settingsKeys, policyKeys] : [policyKeys, settingsKeys];
  return Object.keys(value).some((key) => own.has(key) && !other.has(key));
}

const confused = {
  settings:
    'this is a policy, but a sallyport.yaml is needed here; name that with -c, and a policy with --policy (check, explain)',
  policy: 'this is a sallyport.yaml, but a policy is needed here; name the policy, and this file with -c',
} as const;

/** One message instead of a complaint about each key. @throws {InvalidConfig} for the other one of the two files. */
export function expectKind(kind: 'settings' | 'policy', { file, value }: Pick<YamlFile, 'file' | 'value'>): void {
  const other = kind === 'settings' ? 'policy' : 'settings';
  if (hasKeysOf(other, value) && !hasKeysOf(kind, value)) {
    throw invalidConfig([{ file, position: null, message: confused[kind] }]);
  }
}
