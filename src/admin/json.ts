/** Stricter checks of JSON requests than `JSON.parse` makes. */

/**
 * The first key that occurs twice in one object, or null. `JSON.parse` silently takes the last, while something that
 * inspected the request before may have used the first.
 *
 * @param text valid JSON.
 */
export function repeatedKey(text: string): string | null {
  const open: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
    }
  }
  return null;
}

export const noBody = 'The request has no body. Send JSON, with Content-Type: application/json.';

/**
 * Why a body was refused as JSON, in one line: V8's message without the quoted text.
 *
 * @param text the refused body; if `JSON.parse` accepts it, it was refused for a key that could pollute prototypes.
 */
export function jsonFault(text: string): string {
  if (text.trim() === '') return noBody;
  try {
    JSON.parse(text);
  } catch (error) {
    const [said = ''] = (error as Error).message.split(/, (?:\.\.\.)?"| in JSON$/);
    return `The body is not JSON: ${said.slice(0, 1).toLowerCase()}${said.slice(1).replace(' in JSON', '')}.`;
  }
  return 'The body has the key "__proto__" or "constructor". Remove it.';
}
