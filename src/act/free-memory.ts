/**
 * Memory that is free as soon as its bytes are written. Node.js hands over each piece of a body in an ArrayBuffer of its
 * own, which V8 would give back when it collects garbage, and collects all of it for every few dozen MiB of them: of a
 * download over plain HTTP that was most of what it cost.
 */

/** Smaller pieces are not worth it, and may lie in memory that they share. */
const WORTH_IT = 8 * 1024;

/** `ArrayBuffer.prototype.transfer`, which Node.js 20 does not have: there the collector does it. */
const transfer: unknown = Reflect.get(ArrayBuffer.prototype, 'transfer');

/** Whether it has its memory for itself, and enough of it. */
function isLarge(chunk: Buffer): boolean {
  return chunk.length >= WORTH_IT && chunk.length === chunk.buffer.byteLength && typeof transfer === 'function';
}

/** A callback for `write` that frees the chunk, which nothing else may use. Undefined: it is not worth it. */
export function freeAfterWrite(chunk: Buffer): ((error?: Error | null) => void) | undefined {
  if (!isLarge(chunk)) return undefined;
  return (error) => {
    // What was not written may still be in somebody's hands.
    if (error == null && typeof transfer === 'function') Reflect.apply(transfer, chunk.buffer, [0]);
  };
}
