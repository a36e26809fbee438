/** The configurations that deploy/ ships, read by the product's own loader from where they will lie. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { repository } from './repository.ts';

/** What is copied or mounted: a path in the repository, and an absolute one on the machine. */
export type Placed = readonly [from: string, to: string];

/**
 * Reads `file` on a machine on which `placed` is all there is. A vendors folder named by a whole path is found there.
 */
export function configurationOf(file: string, placed: readonly Placed[]): Config {
  const root = mkdtempSync(join(tmpdir(), 'sallyport-machine-'));
  try {
    for (const [from, to] of placed) cpSync(join(repository, from), join(root, to), { recursive: true });
    const text = readFileSync(join(root, file), 'utf8');
    writeFileSync(join(root, file), text.replace(/^vendors: \//m, `vendors: ${root}/`));
    return loadConfig(join(root, file));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

export const portsOf = ({ listen }: Config): number[] => [listen.proxy.port, listen.pages.port, listen.admin.port];
