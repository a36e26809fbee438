/**
 * How names of users are compared, wherever a policy, an exception or a password file has one: in any case, as people
 * type them and directories take them. A domain is a part of the name. What is written down keeps the name as it came.
 */

/** Folds a name for comparison: NFC, in lower case, with final sigma as sigma. */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase().replaceAll('\u03c2', '\u03c3');
}
