/**
 * Strings as JSON, fast for the ordinary and safe for the hostile.
 */

/** Longest value of a field, in UTF-16 units: what a client sends must not decide how long a log line is. */
export const fieldLimit = 1024;

/** Printable ASCII but the quote and the backslash: what nearly every host, path and id consists of. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * What JSON lets pass and a terminal, a line reader or a person would be misled by: DEL and the C1 controls (one of
 * them begins escape sequences), the Unicode line separators, and the marks that turn the direction of text.
 */
const misleading = /[\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** With the `u` flag this matches only surrogates without a partner, which UTF-8 cannot carry. */
const loneSurrogate = /\p{Surrogate}/gu;

/** The JSON text of `value`, quotes included, on one line, cut to `limit` UTF-16 units. Never throws. */
export function jsonText(value: string, limit = fieldLimit): string {
  const text = value.length > limit ? value.slice(0, limit) : value;
  if (plain.test(text)) return `"${text}"`;
  return JSON.stringify(text.replace(loneSurrogate, '\ufffd')).replace(misleading, escape);
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
