/**
 * How names of users are compared, wherever a policy, an exception or a password file has one: in any case, as people
 * type them and directories take them. A domain is a part of the name. What is written down keeps the name as it came.
 */

/** One word for all ways to write a name: composed (NFC), in lower case; the final sigma is a sigma. */
export function foldUser(name: string): string {
  return name.normalize('NFC').toLowerCase().replaceAll('\u03c2', '\u03c3');
}
