/** How many files a process may have open, beside what the connections that it may have would take. */
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

/** Of a process that is started like this one, of which Node.js raises the soft limit to the hard one; null: unknown. */
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
