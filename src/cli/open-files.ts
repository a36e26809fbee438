/** How many files a process may have open, and how many the connections would take that it may have. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Config } from '../config/schema.ts';
import { partOf } from '../workers/share.ts';

/** Files beside connections: logs, ports, the catalogue, what Node.js has open. */
const OTHER_FILES = 200;

export interface OpenFiles {
  /** By the limit of the system. */
  readonly most: number;
  /** With every connection in use: one for the client and one for the destination of each. */
  readonly wanted: number;
  /** Connections of one process. */
  readonly connections: number;
}

/** Processes that serve clients. */
export function workersOf({ workers }: Pick<Config, 'workers'>): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

/**
 * The limit of this process, which one that is started like it shares: Node.js raises the soft limit to the hard one as it
 * starts. Null where the system does not tell.
 */
export function openFiles(
  { limits, workers }: Pick<Config, 'limits' | 'workers'>,
  table = '/proc/self/limits',
): OpenFiles | null {
  let text: string;
  try {
    text = readFileSync(table, 'utf8');
  } catch {
    return null;
  }
  const most = Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? Infinity);
  const size = workersOf({ workers });
  const connections = size === 1 ? limits.connections : partOf(limits.connections, size);
  return { most, wanted: connections * 2 + OTHER_FILES, connections };
}
