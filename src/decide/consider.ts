/**
 * Explains a decision: all entries of the policy about the target, which of them won, and why the others lost. Scans
 * the whole document instead of using the compiled tables.
 */
import type { Client, Effect, HostKind, Hostname, Pause, Question } from '../flow.ts';
import type { Policy } from './compile.ts';
import { builtIn, defaultFor } from './defaults.ts';
import { decisiveName } from './decide.ts';
import { isSpecific } from './deciding-entry.ts';
import { agrees, hidesItsName } from './ech.ts';
import { exceptionEntries, fieldOf, inForce, isAbout, isFor, ruleEntries, strictest, whomRank } from './entry.ts';
import type { Entry } from './entry.ts';
import { nearest } from './near.ts';
import type { DomainSets } from './near.ts';
import { lifted } from './pauses.ts';
import { besides, subjectOf } from './subject.ts';
import type { Subject } from './subject.ts';

export interface Considered {
  readonly kind: 'exception' | 'pause' | 'rule' | 'default' | 'built-in';
  readonly id: string;
  readonly effect: Effect;
  /** The host that the row is about. */
  readonly host: Hostname;
  readonly verdict: 'won' | 'lost';
  /** One sentence without a full stop. */
  readonly why: string;
}

/** An entry about the subject, with its rank; smaller numbers win. */
interface Candidate {
  readonly entry: Entry;
  /** Description of the domain or list that covers the host, if the entry names any. */
  readonly near: string | null;
  readonly rank: readonly [exceptionFirst: number, level: number, domain: number, order: number];
}

const levels = { domains: 0, products: 1, vendors: 2, tags: 3, risks: 3, channels: 3 } as const;
const levelNames = ['host', 'product', 'vendor', 'class', 'everything'] as const;

function candidate(entry: Entry, subject: Subject, sets: DomainSets): Candidate | null {
  const { host } = subject;
  if (!isAbout(entry, subject)) return null;
  const field = fieldOf(entry.what);
  const near = nearest(entry.what, host, sets);
  if (field === 'domains' && near === null) return null;
  const level = field === null ? 4 : levels[field];
  const exceptionFirst = entry.kind === 'exception' ? 0 : 1;
  const rank = [exceptionFirst, level, near?.distance ?? 0, entry.order] as const;
  return { entry, near: near?.what ?? null, rank };
}

function compare(a: Candidate, b: Candidate): number {
  const step = a.rank.findIndex((value, i) => value !== b.rank[i]);
  // Not by subtraction: an exact pattern has the distance -Infinity, and two of them would give NaN.
  return step === -1 ? 0 : (a.rank[step] ?? 0) < (b.rank[step] ?? 0) ? -1 : 1;
}

function moment(at: number): string {
  return new Date(at).toISOString().replace(/(?::00)?\.000Z$/, 'Z');
}

/** Describes whom the entry is for. */
function whom({ groups, sites }: Entry): string {
  if (groups === null && sites === null) return 'for everyone';
  const named = [
    ...(groups === null ? [] : [`the group ${groups.join(' or ')}`]),
    ...(sites === null ? [] : [`the site ${sites.join(' or ')}`]),
  ];
  return `for ${named.join(' at ')}`;
}

/** Why it does not apply to this client now; null if it does. */
function obstacle({ entry }: Candidate, client: Client, now: number): string | null {
  if (now < entry.from) return `not yet in force: from ${moment(entry.from)}`;
  if (now >= entry.until) return `no longer in force: until ${moment(entry.until)}`;
  if (!inForce(entry, now)) return 'outside its windows';
  if (isFor(entry, client)) return null;
  return `${whom(entry)}, which the client is not in`;
}

function known({ entry, near }: Candidate): string {
  const field = fieldOf(entry.what);
  if (field === null) return 'everything';
  return near ?? `the ${field.slice(0, -1)} ${(entry.what[field] ?? []).join(' or ')}`;
}

function whyWon(winner: Candidate): string {
  if (winner.entry.kind === 'exception') return `exceptions take precedence over every rule; it names ${known(winner)}`;
  return `the strongest that applies; it names ${known(winner)}`;
}

/** Describes the first step of the precedence at which the two differ. */
function whyLost(loser: Candidate, winner: Candidate): string {
  const { id } = winner.entry;
  const [exceptionFirst, level, domain] = loser.rank;
  if (exceptionFirst !== winner.rank[0]) return `the exception ${id} takes precedence over every rule`;
  if (level !== winner.rank[1]) {
    return `less specific than ${id}: ${levelNames[winner.rank[1]] ?? ''} takes precedence over ${levelNames[level] ?? ''}`;
  }
  if (domain !== winner.rank[2]) return `less specific than ${id}, which names ${known(winner)}`;
  if (whomRank(loser.entry) !== whomRank(winner.entry)) return `${whom(loser.entry)}; ${id} is ${whom(winner.entry)}`;
  if (loser.entry.effect !== winner.entry.effect) {
    return `of the same rank as ${id}, where ${winner.entry.effect} takes precedence over ${loser.entry.effect}`;
  }
  return `of the same rank as ${id}, which comes before it in the file`;
}

interface EntriesAbout {
  readonly rows: readonly Considered[];
  readonly effect: Effect;
  readonly specific: boolean;
  readonly ruled: boolean;
}

/** The entries about one host for one vendor, the strongest first, and the first that applies to the client now. */
interface Axis {
  readonly subject: Subject;
  readonly sorted: readonly Candidate[];
  readonly winner: Candidate | undefined;
}

function axis(policy: Policy, subject: Subject, client: Client, now: number): Axis {
  const entries = [...exceptionEntries(policy.document), ...ruleEntries(policy.document)];
  const about = entries.map((entry) => candidate(entry, subject, policy.sets)).filter((found) => found !== null);
  const sorted = about.toSorted(compare);
  return { subject, sorted, winner: sorted.find((one) => obstacle(one, client, now) === null) };
}

/** Explains the decision about one name of the tunnel by itself. The winner is the first row. */
function entriesAbout(policy: Policy, subject: Subject, kind: HostKind, client: Client, now: number): EntriesAbout {
  const axes = [subject, ...besides(subject, policy.risksOf)].map((one) => axis(policy, one, client, now));
  const winners = axes.flatMap((one) =>
    one.winner === undefined
      ? []
      : [{ candidate: one.winner, ...lifted(policy.pauses, one.winner.entry, one.subject.service, now) }],
  );
  const best = strictest(winners);
  const winner = best?.candidate;
  const { host, service } = subject;
  const byDefault = defaultFor(policy, kind, service);
  const fallback = lifted(policy.pauses, byDefault, service, now);
  const pause = winner === undefined ? fallback.pause : best?.pause;

  const row = (one: Candidate, own: Axis): Considered => {
    const { kind, id, effect } = one.entry;
    if (one === winner) {
      const because = own.subject.beside === true ? `; ${own.subject.service?.vendor ?? ''} has a part in it` : '';
      return { kind, id, effect, host, verdict: 'won', why: whyWon(one) + because };
    }
    const why =
      obstacle(one, client, now) ??
      (own.winner === undefined || winner === undefined
        ? ''
        : own.winner === one
          ? `${winner.entry.id} is about another vendor that has a part in it, and the stricter of the two wins`
          : whyLost(one, own.winner));
    return { kind, id, effect, host, verdict: 'lost', why };
  };
  const told = new Set<string>(winner === undefined ? [] : [winner.entry.id]);
  const rows = axes.flatMap((own) =>
    own.sorted.flatMap((one) => {
      if (one !== winner && told.has(one.entry.id)) return [];
      told.add(one.entry.id);
      return [row(one, own)];
    }),
  );
  const isDefault = { kind: 'default', id: fallback.id, effect: byDefault.effect, host } as const;
  const last: Considered =
    winner === undefined
      ? { ...isDefault, verdict: 'won', why: 'no rule or exception applies' }
      : { ...isDefault, verdict: 'lost', why: 'defaults apply only where no rule or exception does' };
  const winnerFirst = [...rows, last].toSorted((a, b) => Number(b.verdict === 'won') - Number(a.verdict === 'won'));
  return {
    rows: pause === undefined ? winnerFirst : paused(pause, winnerFirst, host),
    effect: best?.effect ?? fallback.effect,
    specific: winner === undefined ? service !== null : isSpecific(winner.entry),
    ruled: winner !== undefined,
  };
}

/** A pause is listed before the denial that it lifts, which would have won. */
function paused(pause: Pause, rows: readonly Considered[], host: Hostname): Considered[] {
  const denial = rows.find(({ verdict }) => verdict === 'won')?.id ?? '';
  const whose = pause.vendor ?? 'every AI vendor';
  const why = `what is denied of ${whose} is let through and counted until ${moment(pause.until)}; otherwise ${denial} denies it`;
  const lost = rows.map((row) =>
    row.verdict === 'won' ? { ...row, verdict: 'lost' as const, why: `the pause ${pause.id} lifts it` } : row,
  );
  return [{ kind: 'pause', id: pause.id, effect: 'monitor', host, verdict: 'won', why }, ...lost];
}

function overruled(rows: readonly Considered[], why: string): Considered[] {
  return rows.map((row) => (row.verdict === 'won' ? { ...row, verdict: 'lost', why } : row));
}

/** Every rule, exception and default about the target. The winner is first, and is the only one with that verdict. */
export function consider(policy: Policy, question: Question, now: number): readonly Considered[] {
  const { target, service, serverName, client, denied } = question;
  const asked = entriesAbout(policy, subjectOf(target.host, service, policy.risksOf), target.kind, client, now);
  const own = { kind: 'built-in', effect: 'deny', host: target.host, verdict: 'won' } as const;
  if (denied !== null) {
    const why = 'the tunnel was denied, and nothing inside it can lift that';
    return [
      { ...own, id: denied.rule, why },
      ...overruled(asked.rows, `the denial of the tunnel by ${denied.rule} stands`),
    ];
  }
  const hidden = hidesItsName(policy.ech, question);
  const unlessHidden = (rows: readonly Considered[]): readonly Considered[] => {
    const winner = rows.find(({ verdict }) => verdict === 'won');
    if (!hidden || (winner?.effect === 'deny' && winner.id !== builtIn.serverNameMismatch)) return rows;
    const why = 'the ClientHello may hide another one for a different host';
    const rest = rows.filter(({ id }) => id !== builtIn.serverNameMismatch);
    return [{ ...own, id: builtIn.encryptedClientHello, why }, ...overruled(rest, 'the true destination is encrypted')];
  };
  if (serverName === null) return unlessHidden(asked.rows);

  const spoken = entriesAbout(
    policy,
    subjectOf(serverName.host, serverName.service, policy.risksOf),
    'name',
    client,
    now,
  );
  const agreed = agrees(policy.ech, question);
  switch (decisiveName(target.kind, asked, spoken, agreed)) {
    case 'target': {
      const why = agreed
        ? `the ClientHello hides another one, and ${serverName.host} only stands in for ${target.host}`
        : `the decision for ${target.host} holds for the whole tunnel`;
      return unlessHidden([...asked.rows, ...overruled(spoken.rows, why)]);
    }
    case 'server-name':
      return unlessHidden([
        ...spoken.rows,
        ...overruled(asked.rows, `the decision for ${serverName.host} holds for the whole tunnel`),
      ]);
    case 'mismatch': {
      const why = `the tunnel was requested for ${target.host} but speaks to ${serverName.host}`;
      const lost = [asked, spoken].flatMap(({ rows }) => overruled(rows, 'the two names of the tunnel differ'));
      return unlessHidden([{ ...own, id: builtIn.serverNameMismatch, why }, ...lost]);
    }
  }
}
