/** Replays logs: judges every line as the proxy would have judged the attempt, and counts the results. */
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
  /** Null: detected for each log. */
  readonly format: Format | null;
  /** Epoch milliseconds at which everything is judged; null: each line at its own time. */
  readonly at: number | null;
  /** Only attempts from `from` (inclusive) to `to` (exclusive) are judged; epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Maximum number of rows in lists of users and hosts. */
  readonly top: number;
  /** Called every few thousand lines. */
  readonly progress: (lines: number) => void;
}

export interface ReadFile {
  readonly file: string;
  /** Null: no line had a known format. */
  readonly format: Format | null;
  readonly compression: Compression;
  readonly lines: number;
  readonly attempts: number;
  readonly bad: number;
  /** Why it was not read to the end; null if it was. */
  readonly problem: string | null;
}

export interface BadLine {
  readonly file: string;
  readonly line: number;
  readonly why: string;
  /** The beginning of the line, up to the first `?` or `@`. */
  readonly text: string;
}

export interface Replayed extends Tallied, Count {
  readonly files: readonly ReadFile[];
  readonly lines: number;
  /** Whether there are more users than can be distinguished, so that their numbers mean "at least". */
  readonly moreUsers: boolean;
  readonly skipped: Readonly<Record<Skipped, number>>;
  readonly bad: { readonly count: number; readonly first: readonly BadLine[] };
  /** The first and last attempt, ISO 8601; null if there is none. */
  readonly since: string | null;
  readonly until: string | null;
  /** Groups that only a trusted proxy or a directory knows. Clients in logs are assumed not to be in them. */
  readonly groupsNotTold: readonly string[];
  readonly changes: Changed | null;
  readonly lookAlikes: Ranked<LookAlike>;
}

const badShown = 10;

/** Number of lines from which the format is detected. */
const sampled = 50;

/** Number of tunnels that are remembered because their requests are counted, so that they are not counted as well. */
const tunnelsKept = 50_000;

/** The beginning of a bad line. Stops before a query and before user information, which may contain secrets. */
function excerpt(text: string): string {
  let end = text.search(/[?@]/);
  if (text[end] === '@') {
    const word = text.lastIndexOf(' ', end) + 1;
    const authority = text.indexOf('//', word);
    end = authority === -1 || authority > end ? word : authority + 2;
  }
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

/** Judges an attempt. @returns why it was skipped; a text if it cannot be judged; null if it was counted. */
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

/** @throws {UnreadableLog} if a log cannot be read. */
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
    // A tunnel is logged when it ends, and thus after its requests.
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
