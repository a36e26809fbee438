/**
 * Those who are there at the moment, where thousands come and go each second.
 *
 * A `Set` or `Map` is the wrong thing for that in V8: it makes a new table whenever deleted entries have filled the old
 * one, and leaves a pointer to it in the old. Once one table has lived long enough to be taken for old itself, it and all
 * that follow it are kept, with whoever was in them, until the old generation is collected: a tenth of what tunnels
 * allocate was copied twice by the garbage collector after they were over.
 */

/** Who can be on one roll at a time. */
export interface Enrolled {
  /** Where on it; -1: not on it. */
  place: number;
}

export interface Roll<T extends Enrolled> {
  readonly size: () => number;
  readonly enter: (who: T) => void;
  /** False where it was not on it. */
  readonly leave: (who: T) => boolean;
  /** All that are on it, in no order. Whoever comes or goes meanwhile may be missed, but nobody comes twice. */
  readonly all: () => readonly T[];
}

export function createRoll<T extends Enrolled>(): Roll<T> {
  const present: T[] = [];
  return {
    size: () => present.length,
    enter(who) {
      who.place = present.length;
      present.push(who);
    },
    leave(who) {
      if (who.place === -1) return false;
      const last = present.pop();
      // The gap is filled by the one that came last.
      if (last !== undefined && last !== who) {
        present[who.place] = last;
        last.place = who.place;
      }
      who.place = -1;
      return true;
    },
    all: () => present.slice(),
  };
}
