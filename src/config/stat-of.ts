/** Examines paths that may be missing or inaccessible. */
import { statSync, type BigIntStats } from 'node:fs';

/**
 * The metadata of a path; undefined after any error. `throwIfNoEntry: false` alone still throws EACCES, EIO, ELOOP and
 * ESTALE.
 */
export function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}
