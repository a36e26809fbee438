/** Looks at paths that may not be there, or not for us: folders are locked, and servers of files go away. */
import { statSync, type BigIntStats } from 'node:fs';

/**
 * What the system says of a path; undefined where it says nothing, for whatever reason. `throwIfNoEntry: false` alone
 * still throws EACCES, EIO, ELOOP and ESTALE.
 */
export function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}
