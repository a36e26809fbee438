/**
 * What clients say, cleared of secrets before it is written down. Query strings, headers, cookies, user information
 * and bodies are never looked at by a record; a path and a user agent are, and keys turn up in those too.
 */

/**
 * Shapes of well-known credentials: keys of AI vendors and clouds, tokens of code hosts and chat services, JSON web
 * tokens. Each has a prefix that ordinary path segments do not have, so that these stay readable.
 */
const prefix =
  'sk[-_]|pk[-_]|rk[-_]|gsk_|xai-|pplx-|nvapi-|hf_|r8_|tvly-|xox[a-z]-|gh[a-z]_|github_pat_|glpat-|npm_|ya29\\.|AIza|AKIA|ASIA|eyJ';
const credential = new RegExp(`(?<![A-Za-z0-9])(?:${prefix})[A-Za-z0-9_.-]{12,}`, 'g');

/** Where a path ends and what may hold values begins, also in the percent-encoded spelling that some clients send. */
const pathEnd = /[?#;]|%3f|%23|%3b/i;

/** Longest path in a record. */
const pathLimit = 1024;

/** The path of an origin-form target (RFC 9112, section 3.2.1): no query, no parameters, no credential. */
export function safePath(target: string): string {
  const head = target.length > 2 * pathLimit ? target.slice(0, 2 * pathLimit) : target;
  const end = head.search(pathEnd);
  return withoutCredentials(end === -1 ? head : head.slice(0, end), pathLimit);
}

/**
 * The first `limit` UTF-16 units of `text`, with each credential replaced by the word `redacted`. More than that is
 * looked at, so that a credential which the limit cuts in two is still recognised, but not all of a hostile text.
 */
export function withoutCredentials(text: string, limit: number): string {
  const head = text.length > 2 * limit ? text.slice(0, 2 * limit) : text;
  const safe = head.replace(credential, 'redacted');
  return safe.length > limit ? safe.slice(0, limit) : safe;
}
