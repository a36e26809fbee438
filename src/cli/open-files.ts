/** The number of files that a process may open, and the number that its connections may need. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Config } from '../config/schema.ts';
import { partOf } from '../workers/share.ts';

/** Files besides connections: logs, ports, the catalogue, Node.js itself. */
const OTHER_FILES = 200;

export interface OpenFiles {
  /** The system's limit. */
  readonly most: number;
  /** With all connections in use: one for the client and one for the origin of each. */
  readonly wanted: number;
  /** Maximum connections of one process. */
  readonly connections: number;
}

/** Number of processes that serve clients. */
export function workersOf({ workers }: Pick<Config, 'workers'>): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

/**
 * The limit of this process, which also applies to one started in the same way: Node.js raises the soft limit to the
 * hard one when it starts. Null if the system does not report it.
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
