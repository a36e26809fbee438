/** Which file it is, and what every write to it changes, as one text. */
import type { BigIntStats } from 'node:fs';

/** The same text twice: the file is as it was, as far as the clock that stamps it can tell. */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
