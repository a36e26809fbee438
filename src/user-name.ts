/**
 * Compares user names in policies, exceptions and password files, and group names that a trusted proxy or a directory
 * supplies, regardless of case, as directories do (`caseIgnoreMatch`, RFC 4517, section 4.2.11). A domain is part of
 * the name. Records keep the name as received.
 */

/** Folds a name for comparison: NFC, in lower case, with final sigma as sigma. */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase().replaceAll('\u03c2', '\u03c3');
}
