/**
 * Removes secrets from client input before it is recorded. Query strings, cookies, user information and bodies are
 * never recorded, nor are headers other than the user agent; but keys turn up in paths and user agents too.
 */

/**
 * Prefixes of well-known credentials: keys of AI vendors and clouds, tokens of code hosts and chat services, JSON web
 * tokens. Ordinary path segments do not start with them, and so stay readable.
 */
const prefix =
  'sk[-_]|pk[-_]|rk[-_]|gsk_|xai-|pplx-|nvapi-|hf_|r8_|tvly-|xox[a-z]-|gh[a-z]_|github_pat_|glpat-|npm_|ya29\\.|AIza|AKIA|ASIA|eyJ';
const credential = new RegExp(`(?<![A-Za-z0-9])(?:${prefix})[A-Za-z0-9_.-]{12,}`, 'g');

/** The end of a path, after which values may follow; also percent-encoded, as some clients send it. */
const pathEnd = /[?#;]|%3f|%23|%3b/i;

/** Maximum length of a path in a record, in UTF-16 units. */
const pathLimit = 1024;

/** The path of an origin-form target (RFC 9112, section 3.2.1), without query, parameters or credentials. */
export function safePath(target: string): string {
  const head = target.length > 2 * pathLimit ? target.slice(0, 2 * pathLimit) : target;
  const end = head.search(pathEnd);
  return withoutCredentials(end === -1 ? head : head.slice(0, end), pathLimit);
}

/**
 * The first `limit` UTF-16 units of `text`, with each credential replaced by `redacted`. It scans twice as much, to
 * recognise a credential that the limit would cut in two, but not the whole of a hostile text.
 */
export function withoutCredentials(text: string, limit: number): string {
  const head = text.length > 2 * limit ? text.slice(0, 2 * limit) : text;
  const safe = head.replace(credential, 'redacted');
  return safe.length > limit ? safe.slice(0, limit) : safe;
}
