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

export const noBody = 'The request has no body. Send JSON, with Content-Type: application/json.';

/**
 * Why a text is refused as JSON, in one line: where V8 finds fault with it, without the text itself, which V8 quotes.
 *
 * @param text that was refused: what `JSON.parse` takes of it has a key that could be taken for a part of every object.
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
