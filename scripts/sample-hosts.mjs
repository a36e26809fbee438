/**
 * Texts that a regular expression of a facts file stands for: enough of them to try each of its choices.
 *
 * Reads the part of the language that such files are written in: text, escapes, classes, groups with choices, and the
 * marks for how often. What is beyond it throws.
 */

/** Stands for a class that may repeat: with hyphens a region, else a word. */
const region = 'us-east-1';

/** A way through an expression with more choices than this is left out. */
const MAX_SAMPLES = 64;

/**
 * @param {string} members What stands between the brackets.
 * @param {string} mark The mark for how often.
 */
function ofClass(members, mark) {
  const once = mark === '' || mark === '?';
  const digits = /^(?:0-9|\\d)$/.test(members);
  const letter = digits ? '7' : 'a';
  const count = /^\{(\d+)/.exec(mark);
  if (count !== null) return letter.repeat(Number(count[1]));
  if (once) return letter;
  if (digits) return '7';
  return members.endsWith('-') ? region : 'acme';
}

/**
 * @param {readonly string[]} heads
 * @param {readonly string[]} tails
 */
function joined(heads, tails) {
  return heads.flatMap((head) => tails.map((tail) => head + tail)).slice(0, MAX_SAMPLES);
}

/** @param {string} pattern @returns {{ readonly samples: string[], readonly rest: string }} */
function choices(pattern) {
  /** @type {string[]} */
  const found = [];
  let samples = [''];
  let rest = pattern;
  while (rest !== '' && !rest.startsWith(')')) {
    if (rest.startsWith('|')) {
      found.push(...samples);
      samples = [''];
      rest = rest.slice(1);
      continue;
    }
    /** @type {string[]} */
    let piece;
    /** @type {string | null} */
    let members = null;
    if (rest.startsWith('(')) {
      const inside = choices(rest.replace(/^\((?:\?:)?/, ''));
      if (!inside.rest.startsWith(')')) throw new Error(`a group without an end in ${pattern}`);
      piece = inside.samples;
      rest = inside.rest.slice(1);
    } else {
      const [whole = '', written] = /^(?:\[([^\]]+)\]|\\[dSw]|\\.|[^\\[\]{}*+?])/.exec(rest) ?? [];
      if (whole === '') throw new Error(`not read: ${rest}`);
      rest = rest.slice(whole.length);
      members = written ?? (whole === '\\d' ? '0-9' : /^\\[Sw]$/.test(whole) ? 'a-z' : null);
      piece = [whole.replace(/^\\/, '')];
    }
    const mark = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(rest)?.[0] ?? '';
    rest = rest.slice(mark.length);
    if (members !== null) piece = [ofClass(members, mark)];
    if (mark === '?' || mark === '*') piece = ['', ...piece];
    samples = joined(samples, piece);
  }
  return { samples: [...found, ...samples].slice(0, MAX_SAMPLES), rest };
}

/**
 * @param {string} pattern Anchors at its ends are ignored.
 * @returns {string[]}
 */
export function samplesOf(pattern) {
  const { samples, rest } = choices(pattern.replace(/^\^/, '').replace(/\$$/, ''));
  if (rest !== '') throw new Error(`not read: ${rest}`);
  return [...new Set(samples)];
}
