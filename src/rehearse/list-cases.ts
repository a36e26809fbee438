/** Stand-ins for external lists: a single host is examined for a list of a million. */
import type { Hostname } from '../flow.ts';
import type { Judged } from './judge.ts';

type Sets = NonNullable<Judged['sets']>;
type Side<T> = readonly [before: T, after: T];

/** Hosts that a list covers only in the new policy, and only in the old one. */
export interface ListDifference {
  readonly id: string;
  readonly gains: readonly string[];
  readonly loses: readonly string[];
}

export interface StandIn {
  readonly host: Hostname;
  readonly label: string;
  readonly list: string;
  /** Whether the list covers it in the old and in the new policy. */
  readonly covered: Side<boolean>;
}

export function standInsOf(both: Side<Judged>, differences: readonly ListDifference[]): readonly StandIn[] {
  const has = (judged: Judged, id: string): boolean => (judged.sets?.get(id)?.size ?? 0) > 0;
  const ids = new Set(both.flatMap(({ sets }) => [...(sets?.keys() ?? [])]));
  const all = Array.from(ids, (id) => ({
    host: `listed.${id}.invalid` as Hostname,
    label: `hosts of the list ${id}`,
    list: id,
    covered: [has(both[0], id), has(both[1], id)] as const,
  }));
  const changed = differences.flatMap(({ id, gains, loses }) => [
    ...(gains.length === 0 ? [] : [{ id, word: 'gains', covered: [false, true] as const }]),
    ...(loses.length === 0 ? [] : [{ id, word: 'loses', covered: [true, false] as const }]),
  ]);
  return [
    ...all,
    ...changed.map(({ id, word, covered }) => ({
      host: `${word}.${id}.invalid` as Hostname,
      label: `hosts that the list ${id} ${word}`,
      list: id,
      covered,
    })),
  ];
}

/** The lists of one side, extended to cover their stand-ins. */
export function covering(sets: Sets | undefined, standIns: readonly StandIn[], side: 0 | 1): Sets {
  const wider = Array.from(sets ?? [], ([id, set]) => {
    const own = new Set<string>(
      standIns.filter(({ list, covered }) => list === id && covered[side]).map(({ host }) => host),
    );
    return [id, { ...set, find: (host: string) => (own.has(host) ? host.length : set.find(host)) }] as const;
  });
  return new Map(wider);
}

/** The lists of either side that cover a host, as one text; empty if none does. */
export function listsOver(both: Side<Judged>, host: Hostname): string {
  const ids = both.map(({ sets }) => [...(sets ?? [])].filter(([, set]) => set.find(host) > 0).map(([id]) => id));
  return ids.some(({ length }) => length > 0) ? JSON.stringify(ids) : '';
}
