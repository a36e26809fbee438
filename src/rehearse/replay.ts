/** Logs in, tallies out: every line of every log is judged as the proxy would have. */
import { SallyportError } from '../errors.ts';
import type { Hostname } from '../flow.ts';
import { parseHost } from '../listen/target.ts';
import { createChanges } from './changes.ts';
import type { Changed } from './changes.ts';
import { formatOf, readerOf } from './format.ts';
import type { Format } from './format.ts';
import { createJudge } from './judge.ts';
import type { Judged } from './judge.ts';
import type { AttemptLine, ReadLine, Skipped } from './line.ts';
import { openLog } from './log-file.ts';
import type { Compression, LogLines } from './log-file.ts';
import { createLookAlikes } from './look-alikes.ts';
import type { LookAlike } from './look-alikes.ts';
import { createCounted, createPeople } from './people.ts';
import { countOf, createTally } from './tally.ts';
import type { Count, Ranked, Tallied } from './tally.ts';
import { createTargets } from './targets.ts';
import { untoldGroups } from './untold-groups.ts';

export interface Log {
  readonly name: string;
  readonly bytes: AsyncIterable<Buffer>;
}

export interface ReplayOptions {
  readonly policy: Judged;
  readonly against: Judged | null;
  /** Null: as each log looks. */
  readonly format: Format | null;
  /** Epoch milliseconds to judge everything at; null: each line at its own time. */
  readonly at: number | null;
  /** Only what came in from here on, and before there; epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Rows of lists that can be of any length. */
  readonly top: number;
  /** Called after every few thousand lines. */
  readonly progress: (lines: number) => void;
}

export interface ReadFile {
  readonly file: string;
  /** Null: no line was in any format. */
  readonly format: Format | null;
  readonly compression: Compression;
  readonly lines: number;
  readonly attempts: number;
  readonly bad: number;
  /** Why it was not read to its end; null where it was. */
  readonly problem: string | null;
}

export interface BadLine {
  readonly file: string;
  readonly line: number;
  readonly why: string;
  /** Its beginning, without what may be secret. */
  readonly text: string;
}

export interface Replayed extends Tallied, Count {
  readonly files: readonly ReadFile[];
  readonly lines: number;
  /** There are more users than could be told apart: their numbers are "at least". */
  readonly moreUsers: boolean;
  readonly skipped: Readonly<Record<Skipped, number>>;
  readonly bad: { readonly count: number; readonly first: readonly BadLine[] };
  /** The first and the last attempt, ISO 8601; null where there is none. */
  readonly since: string | null;
  readonly until: string | null;
  /** Groups by the word of a proxy or a directory, which no log has: nobody is taken to be in them. */
  readonly groupsNotTold: readonly string[];
  readonly changes: Changed | null;
  readonly lookAlikes: Ranked<LookAlike>;
}

const badShown = 10;

/** Lines that tell the format of a log. */
const sampled = 50;

/** Tunnels whose requests were seen, so that the tunnel is not counted beside them. */
const tunnelsKept = 50_000;

/** The beginning of a line that was not understood. */
function excerpt(text: string): string {
  const end = text.search(/[?@]/);
  const head = (end === -1 ? text : text.slice(0, end)).slice(0, 60);
  return head.replaceAll(/[^\x20-\x7e]/g, '\ufffd') + (head.length < text.length ? '…' : '');
}

function readServerName(text: string | null): Hostname | null {
  if (text === null) return null;
  try {
    return parseHost(text).host;
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    return null;
  }
}

/** What one attempt of a log comes to: a reason where it was skipped, words where it cannot be judged, else null. */
type Take = (line: AttemptLine) => { readonly skipped: Skipped } | string | null;

function readerFor(
  format: Format | null,
  batch: readonly string[],
): { readonly format: Format | null; readonly read: ReadLine } {
  const found = format ?? formatOf(batch.filter((text) => text.trim() !== '').slice(0, sampled));
  if (found !== null) return { format: found, read: readerOf(found) };
  return { format: null, read: () => ({ kind: 'bad', why: 'in none of the supported formats' }) };
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** @throws {UnreadableLog} where a log is in a form that cannot be read here. */
export async function replay(logs: readonly Log[], options: ReplayOptions): Promise<Replayed> {
  const { from, to, top } = options;
  const judge = createJudge(options.policy);
  const other = options.against === null ? null : createJudge(options.against);
  const people = createPeople();
  const all = createCounted();
  const tally = createTally(people);
  const changes = createChanges(people);
  const lookAlikes = createLookAlikes(people);
  const targetOf = createTargets();
  const skipped: Record<Skipped, number> = { challenge: 0, 'no-request': 0, inside: 0, outside: 0 };
  const bad = { count: 0, first: [] as BadLine[] };
  const tunnels = new Set<string>();
  let lines = 0;
  let since = Infinity;
  let until = -Infinity;

  const take: Take = ({ at, client, user, method, url, serverName, ech, id, tunnel }) => {
    if (at < from || at >= to) return { skipped: 'outside' };
    // A tunnel's own line comes when it has ended, behind those of its requests.
    if (id !== null && tunnels.delete(id)) return { skipped: 'inside' };
    if (tunnel !== null && tunnels.size < tunnelsKept) tunnels.add(tunnel);
    const asked = targetOf(method, url);
    if (typeof asked === 'string') return asked;
    const now = options.at ?? at;
    const name = user ?? client;
    const { host } = asked.target;
    const spoken = readServerName(serverName);
    const verdict = judge(asked, client, user, now, spoken, ech);
    all.add(people.number(name));
    tally.add(verdict, host, name);
    if (verdict.unlisted) lookAlikes.add(host, asked.path, name);
    if (other !== null)
      changes.add(verdict, other(asked, client, user, now, spoken, ech), { user: name, client, host }, at);
    if (at < since) since = at;
    if (at > until) until = at;
    return null;
  };

  const readLog = async (name: string, log: LogLines): Promise<ReadFile> => {
    let reader: ReturnType<typeof readerFor> | null = null;
    const file = { lines: 0, attempts: 0, bad: 0, problem: null as string | null };
    const one = (text: string, read: ReadLine): void => {
      file.lines += 1;
      const line = read(text.endsWith('\r') ? text.slice(0, -1) : text);
      const taken = line.kind === 'attempt' ? take(line) : line.kind === 'bad' ? line.why : { skipped: line.why };
      if (taken === null) file.attempts += 1;
      else if (typeof taken === 'object') skipped[taken.skipped] += 1;
      else {
        file.bad += 1;
        if (bad.first.length < badShown)
          bad.first.push({ file: name, line: file.lines, why: taken, text: excerpt(text) });
      }
    };
    try {
      for await (const batch of log.batches) {
        reader ??= readerFor(options.format, batch);
        for (const text of batch) {
          if (text === '') file.lines += 1;
          else one(text, reader.read);
        }
        options.progress(lines + file.lines);
      }
    } catch (error) {
      file.problem = problemOf(error);
    }
    lines += file.lines;
    bad.count += file.bad;
    return { file: name, format: reader?.format ?? null, compression: log.compression, ...file };
  };

  const files: ReadFile[] = [];
  for (const { name, bytes } of logs) files.push(await readLog(name, await openLog(bytes)));
  return {
    files,
    lines,
    ...countOf(all),
    moreUsers: people.more(),
    since: since === Infinity ? null : new Date(since).toISOString(),
    until: until === -Infinity ? null : new Date(until).toISOString(),
    ...tally.read(top),
    groupsNotTold: untoldGroups(
      [options.policy, ...(options.against === null ? [] : [options.against])].map(({ document }) => document),
    ),
    changes: other === null ? null : changes.read(top),
    lookAlikes: lookAlikes.read(top),
    skipped,
    bad,
  };
}
