/**
 * Those who are there at the moment, where thousands come and go each second.
 *
 * A `Set` or `Map` is the wrong thing for that in V8: it makes a new table whenever deleted entries have filled the old
 * one, and leaves a pointer to it in the old. Once one table has lived long enough to be taken for old itself, it and all
 * that follow it are kept, with whoever was in them, until the old generation is collected: a tenth of what tunnels
 * allocate was copied twice by the garbage collector after they were over.
 */

/** A member of at most one set. */
export interface Indexed {
  /** Index in the set; -1: not a member. */
  place: number;
}

export interface IndexedSet<T extends Indexed> {
  readonly size: () => number;
  readonly add: (who: T) => void;
  /** False if it was not a member. */
  readonly delete: (who: T) => boolean;
  /**
   * A snapshot of all members, in no particular order.
   */
  readonly all: () => readonly T[];
}

export function createIndexedSet<T extends Indexed>(): IndexedSet<T> {
  const present: T[] = [];
  return {
    size: () => present.length,
    add(who) {
      who.place = present.length;
      present.push(who);
    },
    delete(who) {
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
