/** Finds the nearest known word, for "did you mean". */

/**
 * Number of edits (insert, delete, replace, swap neighbours) that turn one word into the other.
 *
 * @param enough stop counting at this number, and return it or more.
 */
export function edits(a: string, b: string, enough = Infinity): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (before[j - 2] ?? best) + 1);
      next.push(best);
    }
    // A swap reaches back two rows.
    if (Math.min(...next) >= enough && Math.min(...row) >= enough) return enough;
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Cost of leaving out the end of a word, such as `github` for `github-copilot`. */
const CUT_SHORT = 1.5;

/** The known word that was probably meant, or null if none is similar. */
export function nearest(word: string, known: Iterable<string>): string | null {
  if (word.length > 64) return null;
  const fold = (text: string): string => text.toLowerCase().replaceAll('-', '_');
  const folded = fold(word);
  let best: string | null = null;
  let least = Math.max(1, Math.round(word.length * 0.4)) + 1;
  for (const candidate of known) {
    const other = fold(candidate);
    const steps = other.startsWith(`${folded}_`) ? CUT_SHORT : edits(folded, other, least);
    if (steps < least) [best, least] = [candidate, steps];
  }
  return best;
}

/** The end of an error message: the probable word, or otherwise all known ones. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near !== null) return `did you mean "${near}"?`;
  if (known.length === 0) return 'there are none yet';
  return known.length <= 24 ? `known: ${known.join(', ')}` : `one of the ${known.length} known ones is needed`;
}
