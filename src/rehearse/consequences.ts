/**
 * The consequences of a policy change: for which services, clients and times the decision differs. Found by calling
 * `decide` for everything in the catalogue and the rules, for every kind of client, in every interval of time.
 */
import { compile } from '../decide/compile.ts';
import { decide } from '../decide/decide.ts';
import type { Effect, Question } from '../flow.ts';
import { inNoGroup, intervalsOf, subjectsOf, whomOf } from './cases.ts';
import type { Subject, Whom } from './cases.ts';
import type { Judged } from './judge.ts';
import { covering, standInsOf, type ListDifference } from './list-cases.ts';

interface Says {
  readonly effect: Effect;
  readonly rule: string;
  /** The pause without which the rule would have denied it. */
  readonly pause: string | null;
}

export interface Consequence {
  readonly before: Says;
  readonly after: Says;
  /** `vendor` if all of its products are affected, otherwise `vendor/product`; or a host. */
  readonly what: readonly string[];
  /** Groups, or addresses whose groups change; `everyone`, or `clients in no group`. */
  readonly whom: readonly string[];
  /** Those of `everyone` who are not affected. */
  readonly except: readonly string[];
  /** Epoch milliseconds; null: no beginning. */
  readonly from: number | null;
  /** Epoch milliseconds, exclusive; null: no end. */
  readonly until: number | null;
}

const everyone = 'everyone';

/** The change for one subject and one kind of client during one interval. */
interface Piece {
  readonly before: Says;
  readonly after: Says;
  readonly from: number;
  readonly until: number;
}

/** Equal pieces of several subjects and clients. */
interface Alike {
  readonly piece: Piece;
  readonly whomBySubject: Map<Subject, string[]>;
}

function answersOf({ before, after }: Pick<Piece, 'before' | 'after'>): string {
  return [before, after].map(({ effect, rule, pause }) => `${effect} ${rule} ${pause ?? ''}`).join(' ');
}

/** Joins consecutive pieces with the same answers. */
function joined(pieces: readonly Piece[]): readonly Piece[] {
  const all: Piece[] = [];
  for (const piece of pieces) {
    const last = all.at(-1);
    if (last?.until === piece.from && answersOf(last) === answersOf(piece))
      all.splice(-1, 1, { ...last, until: piece.until });
    else all.push(piece);
  }
  return all;
}

/** Labels of the subjects; if all products of a vendor are affected, the vendor's id replaces them. */
function labelsOf(meant: readonly Subject[], all: readonly Subject[]): string[] {
  const labels = new Set<string>();
  const included = new Set(meant);
  for (const subject of meant) {
    const { vendor, label } = subject;
    const whole = vendor !== null && all.every((other) => other.vendor !== vendor || included.has(other));
    labels.add(whole ? vendor : label);
  }
  return [...labels];
}

/** Names those that are affected or, if most are, those that are not. */
function whomWords(labels: readonly string[], clients: readonly Whom[]): Pick<Consequence, 'whom' | 'except'> {
  const others = clients.map(({ label }) => label).filter((label) => !labels.includes(label));
  return others.length < labels.length && labels.includes(inNoGroup)
    ? { whom: [everyone], except: others }
    : { whom: labels, except: [] };
}

function consequencesOf(
  { piece, whomBySubject }: Alike,
  subjects: readonly Subject[],
  clients: readonly Whom[],
): Consequence[] {
  const { before, after, from, until } = piece;
  const byWhom = new Map<string, { readonly labels: readonly string[]; readonly meant: Subject[] }>();
  for (const [subject, labels] of whomBySubject) {
    const key = labels.join('\n');
    const row = byWhom.get(key);
    if (row === undefined) byWhom.set(key, { labels, meant: [subject] });
    else row.meant.push(subject);
  }
  return Array.from(byWhom.values(), ({ labels, meant }) => ({
    before,
    after,
    what: labelsOf(meant, subjects),
    ...whomWords(labels, clients),
    from: from === -Infinity ? null : from,
    until: until === Infinity ? null : until,
  }));
}

/**
 * @param now epoch milliseconds, from which changes by schedules are examined.
 * @param differences between the two policies' copies of lists that both have.
 */
export function consequences(
  before: Judged,
  after: Judged,
  now: number,
  differences: readonly ListDifference[] = [],
): readonly Consequence[] {
  const both = [before, after] as const;
  const standIns = standInsOf(both, differences);
  const policies = [
    compile(before.document, covering(before.sets, standIns, 0)),
    compile(after.document, covering(after.sets, standIns, 1)),
  ] as const;
  const [subjects, clients, intervals] = [subjectsOf(both, standIns), whomOf(both), intervalsOf(both, now)];
  const found = new Map<string, Alike>();

  const says = (side: 0 | 1, subject: Subject, whom: Whom, at: number): Says => {
    const question: Question = {
      moment: 'connect',
      client: { address: '', user: null, groups: whom.groups[side] },
      target: subject.target,
      service: subject.services[side],
      serverName: null,
      navigation: false,
      denied: null,
    };
    const { decision } = decide(policies[side], question, at);
    const { effect, rule } = decision;
    const lifted = decision.effect === 'deny' ? undefined : decision.exception;
    return { effect, rule, pause: lifted === undefined || lifted === rule ? null : lifted };
  };

  const piecesOf = (subject: Subject, whom: Whom): readonly Piece[] =>
    joined(
      intervals.flatMap((from, i) => {
        const until = intervals[i + 1] ?? Infinity;
        const at = from === -Infinity ? Math.min(until - 1, now) : from;
        const [old, next] = [says(0, subject, whom, at), says(1, subject, whom, at)];
        return old.effect === next.effect ? [] : [{ before: old, after: next, from, until }];
      }),
    );

  for (const subject of subjects) {
    for (const whom of clients) {
      for (const piece of piecesOf(subject, whom)) {
        const key = `${piece.from} ${piece.until} ${answersOf(piece)}`;
        const row = found.get(key) ?? { piece, whomBySubject: new Map<Subject, string[]>() };
        found.set(key, row);
        row.whomBySubject.set(subject, [...(row.whomBySubject.get(subject) ?? []), whom.label]);
      }
    }
  }
  return [...found.values()]
    .flatMap((alike) => consequencesOf(alike, subjects, clients))
    .toSorted((a, b) => (a.from ?? 0) - (b.from ?? 0) || b.what.length - a.what.length);
}
