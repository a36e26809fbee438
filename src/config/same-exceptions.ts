/**
 * Finds exceptions that allow the same: a second one is probably a mistake, and would remain when the first is revoked.
 */
import { endOf, isPause } from './exception-line.ts';
import type { ExceptionLine, StoredLine } from './exception-line.ts';
import { foldName } from '../user-name.ts';

const scope = [
  'vendors',
  'products',
  'channels',
  'tags',
  'risks',
  'domains',
  'lists',
  'groups',
  'sites',
  'users',
  'networks',
] as const;

function scopeOf(line: ExceptionLine): string {
  const words = (key: (typeof scope)[number]): readonly string[] =>
    key === 'users' ? (line.users ?? []).map(foldName) : (line[key] ?? []);
  return JSON.stringify(scope.map((key) => [...new Set(words(key))].toSorted()));
}

function beginOf({ from, created_at: created }: ExceptionLine): number {
  return from ?? created;
}

/** Lines, by their place in the file, for the same services and clients at an overlapping time. */
export function sameExceptions(
  lines: ReadonlyMap<number, StoredLine>,
  wanted: ExceptionLine,
  now: number,
): [number, ExceptionLine][] {
  const sought = scopeOf(wanted);
  return [...lines].flatMap(([index, line]): [number, ExceptionLine][] => {
    if (isPause(line) || endOf(line) <= now) return [];
    const meet = beginOf(line) < endOf(wanted) && beginOf(wanted) < endOf(line);
    return meet && scopeOf(line) === sought ? [[index, line]] : [];
  });
}
