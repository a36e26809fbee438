/**
 * Frees the memory of a chunk as soon as it has been written. Node.js delivers each chunk of a body in its own
 * ArrayBuffer, which V8 frees only in a full garbage collection, and every few dozen MiB of them trigger one. Those
 * collections were most of the cost of a download over plain HTTP.
 */

/** Bytes. Smaller chunks are not worth it, and may share their ArrayBuffer. */
const WORTH_IT = 8 * 1024;

/** `ArrayBuffer.prototype.transfer`; missing in Node.js 20, where the memory is left to the garbage collector. */
const transfer: unknown = Reflect.get(ArrayBuffer.prototype, 'transfer');

/** Whether the chunk is large enough, and the only one in its ArrayBuffer. */
function isLarge(chunk: Buffer): boolean {
  return chunk.length >= WORTH_IT && chunk.length === chunk.buffer.byteLength && typeof transfer === 'function';
}

/** A callback for `write` that frees the chunk, which nothing else may use. Undefined: it is not worth it. */
export function freeAfterWrite(chunk: Buffer): ((error?: Error | null) => void) | undefined {
  if (!isLarge(chunk)) return undefined;
  return (error) => {
    // After a failed write, the chunk may still be in use.
    if (error == null && typeof transfer === 'function') Reflect.apply(transfer, chunk.buffer, [0]);
  };
}
