/**
 * Text that waits to be written, kept as the bytes that it will be. Strings that wait are copied by the garbage collector
 * while they do, and all together twice more when they are encoded; memory that is used again costs neither.
 */
export interface WriteBuffer {
  add(text: string): void;
  /** The bytes of all that was added, behind a newline where there is to be one. They stay as they are until `giveBack`. */
  take(behindNewline: boolean): Buffer;
  /** What was taken is written: its memory may be used again. */
  giveBack(): void;
  clear(): void;
}

const newline = 0x0a;

/** Bytes that are enough for a quiet log, and the most that are kept for a busy one. */
const small = 64 * 1024;
const kept = 512 * 1024;

/** UTF-8 takes no more for a UTF-16 unit. */
const bytesForUnit = 3;

/** Double-buffered: one buffer is filled while another is written. */
export function createWriteBuffer(): WriteBuffer {
  let filling: Buffer | null = null;
  let spare: Buffer | null = null;
  let lent: Buffer | null = null;
  /** The first byte of each piece is the newline that is written, or not, before the rest. */
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
    // To count bytes takes as long as to write them, and is needed only near the end.
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
      // What was far too large goes, so that a spell of many lines leaves nothing behind.
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
