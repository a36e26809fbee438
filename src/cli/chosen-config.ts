/** The configuration that a command works on. */
import { resolve } from 'node:path';
import { loadConfig, loadWithPolicy } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { configFile, configOption } from './verb.ts';
import type { Io } from './verb.ts';

export const chosenOptions = { ...configOption, policy: { type: 'string' } } as const;

interface Chosen {
  readonly config?: string | undefined;
  /** A policy to use instead of the configured one, such as one that is not in force yet. */
  readonly policy?: string | undefined;
}

/** @throws {InvalidConfig} */
export function chosenConfig({ config, policy }: Chosen, io: Io): Config {
  const file = configFile(config, io);
  return policy === undefined ? loadConfig(file) : loadWithPolicy(file, resolve(io.cwd, policy));
}
