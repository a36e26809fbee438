const nothing = Buffer.alloc(0);

/**
 * Joins pieces of a stream in one growing buffer: an object for each would cost a hundred times as much as one byte.
 */
export class Accumulator {
  /** A single piece is kept as it is. */
  #bytes: Buffer = nothing;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(piece: Buffer): void {
    if (this.#length === 0) this.#bytes = piece;
    else {
      const length = this.#length + piece.length;
      if (length > this.#bytes.length) {
        const larger = Buffer.allocUnsafeSlow(length * 2);
        this.#bytes.copy(larger, 0, 0, this.#length);
        this.#bytes = larger;
      }
      piece.copy(this.#bytes, this.#length);
    }
    this.#length += piece.length;
  }

  /** All bytes so far. */
  bytes(): Buffer {
    return this.#length === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#length);
  }
}
