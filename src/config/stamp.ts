/** Identifies a file and its state as one text. */
import type { BigIntStats } from 'node:fs';

/** If the text is the same, the file is unchanged, as far as the file system's clock can tell. */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
