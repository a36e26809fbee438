/** JSON of requests, held to more than `JSON.parse` asks for. */

/**
 * The first key that an object of this text has twice, or null: `JSON.parse` would take the last one without a word, and
 * whoever read the request before may have gone by the first.
 *
 * @param text JSON that is valid.
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
