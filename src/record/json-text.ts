/** JSON encoding of strings: fast for ordinary values, safe for hostile ones. */

/** Maximum length of a field, in UTF-16 units, so that clients cannot inflate log lines. */
export const fieldLimit = 1024;

/** Printable ASCII except quote and backslash: nearly all hosts, paths and ids. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * Characters that JSON allows but that mislead terminals, line readers or people: DEL and the C1 controls (one of them
 * starts escape sequences), the Unicode line separators, and bidirectional controls.
 */
const misleading = /[\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** With the `u` flag this matches only unpaired surrogates, which UTF-8 cannot encode. */
const loneSurrogate = /\p{Surrogate}/gu;

/** `value` as a JSON string with its quotes, on one line, truncated to `limit` UTF-16 units. Never throws. */
export function jsonText(value: string, limit = fieldLimit): string {
  const text = value.length > limit ? value.slice(0, limit) : value;
  if (plain.test(text)) return `"${text}"`;
  return JSON.stringify(text.replace(loneSurrogate, '\ufffd')).replace(misleading, escape);
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
