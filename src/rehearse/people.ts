/** Counts distinct people exactly, with one bit for each. */
import { inOnePiece } from '../in-one-piece.ts';

/** Maximum number of people that are distinguished; beyond it, counts mean "at least". */
const told = 200_000;

export interface People {
  /** A small number for each name, always the same; -1 beyond the limit. */
  readonly number: (name: string) => number;
  readonly count: () => number;
  /** Whether the limit was exceeded. */
  readonly more: () => boolean;
}

export function createPeople(limit = told): People {
  const numbers = new Map<string, number>();
  let more = false;
  return {
    number(name) {
      const known = numbers.get(name);
      if (known !== undefined) return known;
      if (numbers.size >= limit) {
        more = true;
        return -1;
      }
      const next = numbers.size;
      numbers.set(inOnePiece(name), next);
      return next;
    },
    count: () => numbers.size,
    more: () => more,
  };
}

/** Attempts, and the number of distinct people who made them. */
export interface Counted {
  readonly add: (person: number) => void;
  readonly attempts: () => number;
  readonly users: () => number;
}

export function createCounted(): Counted {
  let attempts = 0;
  let users = 0;
  let bits = new Uint32Array(2);
  return {
    add(person) {
      attempts += 1;
      if (person < 0) return;
      const word = person >>> 5;
      if (word >= bits.length) {
        const wider = new Uint32Array(Math.max(word + 1, bits.length * 2));
        wider.set(bits);
        bits = wider;
      }
      const bit = 1 << (person & 31);
      const before = bits[word] ?? 0;
      if ((before & bit) !== 0) return;
      bits[word] = before | bit;
      users += 1;
    },
    attempts: () => attempts,
    users: () => users,
  };
}
