/**
 * A text as memory of its own. V8 keeps one that was cut out of another as a view of that other, whole, and one that was put
 * together as a tree of its parts, which is walked each time that its characters are asked for. What is remembered for
 * longer than the text that it came from has to be neither.
 */
export function inOnePiece(text: string): string {
  return Buffer.from(text).toString();
}
