/**
 * Text waiting to be written, already encoded into reused memory. Queued strings would be copied by the garbage
 * collector while they wait, and twice more when joined and encoded.
 */
export interface WriteBuffer {
  add(text: string): void;
  /** The bytes of everything added, after a newline if `behindNewline`. They are valid until `giveBack`. */
  take(behindNewline: boolean): Buffer;
  /** Allows the taken memory to be reused, once it has been written. */
  giveBack(): void;
  clear(): void;
}

const newline = 0x0a;

/** Initial size in bytes, enough for a quiet log; and the maximum that is kept for a busy one. */
const small = 64 * 1024;
const kept = 512 * 1024;

/** Maximum bytes of UTF-8 per UTF-16 unit. */
const bytesForUnit = 3;

/** Double-buffered: one buffer is filled while another is written. */
export function createWriteBuffer(): WriteBuffer {
  let filling: Buffer | null = null;
  let spare: Buffer | null = null;
  let lent: Buffer | null = null;
  /** The first byte of each buffer is a newline, which `take` includes if asked to. */
  let end = 1;

  const enlarge = (bytes: number): Buffer => {
    let size = filling?.length ?? small;
    while (size < bytes) size *= 2;
    const larger = Buffer.allocUnsafeSlow(size);
    larger[0] = newline;
    filling?.copy(larger, 0, 0, end);
    filling = larger;
    return larger;
  };

  const roomFor = (text: string): Buffer => {
    const most = text.length * bytesForUnit;
    if (filling !== null && end + most <= filling.length) return filling;
    // Counting bytes takes as long as writing them, so it is done only if the upper bound does not fit.
    const bytes = end + Buffer.byteLength(text);
    return filling !== null && bytes <= filling.length ? filling : enlarge(bytes);
  };

  return {
    add(text) {
      end += roomFor(text).write(text, end);
    },
    take(behindNewline) {
      const full = filling ?? enlarge(end);
      const taken = full.subarray(behindNewline ? 0 : 1, end);
      // Drop a buffer that is far too large, so that a burst of lines does not tie up memory.
      const fits = full.length <= kept && (full.length === small || end > full.length / 4);
      lent = fits ? full : null;
      filling = spare;
      spare = null;
      end = 1;
      return taken;
    },
    giveBack() {
      if (filling === null) filling = lent;
      else spare = lent;
      lent = null;
    },
    clear() {
      filling = null;
      end = 1;
    },
  };
}
