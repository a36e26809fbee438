/** Exceptions and pauses of a running proxy: follows their file, whoever writes it, and writes it for the admin API. */
import type { Changed, ExceptionsApi } from '../admin/exceptions-api.ts';
import type { Config } from '../config/schema.ts';
import { add, parseLength, pause, Refused, resume, revoke, shownEntry } from '../config/exception-changes.ts';
import type { Change, Terms } from '../config/exception-changes.ts';
import { isPause } from '../config/exception-line.ts';
import type { StoredLine } from '../config/exception-line.ts';
import { changeExceptions } from '../config/exception-store.ts';
import type { Contents } from '../config/exceptions-file.ts';
import { pollFile } from '../config/poll-file.ts';
import type { FilePoll } from '../config/poll-file.ts';
import { listEntries, readStored, termsOf } from '../config/stored-exceptions.ts';
import type { StoredExceptions } from '../config/stored-exceptions.ts';
import { ConfigError } from '../errors.ts';
import type { Exception, Pause } from '../flow.ts';

export interface ExceptionsOptions {
  readonly config: () => Config;
  /** Puts them into force. */
  readonly adopt: (stored: StoredExceptions) => void;
  /** Called after others have come into force. */
  readonly changed: () => void;
  /** The policy's clock, in epoch milliseconds. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** How many are in force, and when the next one ends in epoch milliseconds; null if none is. */
export interface Running {
  readonly active: number;
  readonly nextEnd: number | null;
}

export interface Exceptions extends ExceptionsApi {
  /** Follows the exceptions file of the configuration in force; to be called again after each reload. */
  readonly follow: () => void;
  readonly running: () => { readonly exceptions: Running; readonly pauses: Running; readonly readable: boolean };
  readonly close: () => void;
}

const statuses = { invalid: 400, unknown: 404, taken: 409, unwritable: 503 } as const satisfies Record<
  Refused['why'],
  number
>;

function runningOf(all: readonly (Exception | Pause)[], now: number): Running {
  const ends = all.filter(({ from = -Infinity, until }) => from <= now && now < until).map(({ until }) => until);
  return { active: ends.length, nextEnd: ends.length === 0 ? null : Math.min(...ends) };
}

function sameLines(a: Contents, b: Contents): boolean {
  return a.file === b.file && a.raw.length === b.raw.length && a.raw.every((text, index) => text === b.raw[index]);
}

/** One log line for each new entry and for each that was ended early. */
function news(before: Contents, after: Contents): string[] {
  const known = new Map(Array.from(before.lines.values(), (stored) => [stored.id, stored]));
  return [...after.lines.values()].flatMap((stored) => {
    const { id, revoked_at: revoked, revoked_by: by } = stored;
    const kind = isPause(stored) ? 'pause' : 'exception';
    const old = known.get(id);
    if (revoked !== undefined && old?.revoked_at === undefined)
      return [`${kind} ${id} was ended by ${by ?? 'someone unknown'}`];
    const until = new Date(stored.until).toISOString();
    return old === undefined ? [`${kind} ${id} by ${stored.created_by}, until ${until}`] : [];
  });
}

export function createExceptions({ config, adopt, changed, now, log }: ExceptionsOptions): Exceptions {
  let look: FilePoll | null = null;
  let following: string | null = null;
  let complained: string | null = null;

  const complain = (problem: string | null): void => {
    if (problem !== null && problem !== complained) log(`exceptions: ${problem}; those in force stay`);
    if (problem === null && complained !== null) log('exceptions: the file is readable again');
    complained = problem;
  };

  /** Puts the current contents of the file into force. */
  const refresh = (): void => {
    const { stored: before, exceptionsFile } = config();
    const stored = readStored(exceptionsFile, before);
    complain(stored.problem);
    const same = sameLines(before.contents, stored.contents);
    if (same && before.problem === stored.problem) return;
    adopt(stored);
    if (same) return;
    news(before.contents, stored.contents).forEach((line) => log(`exceptions: ${line}`));
    changed();
  };

  let refreshing: Promise<void> | null = null;
  /** Changes that were written together are read once. */
  const refreshed = (): Promise<void> =>
    (refreshing ??= Promise.resolve().then(() => {
      refreshing = null;
      refresh();
    }));

  const change = async (edit: (contents: Contents, terms: Terms) => Change, gone: () => boolean): Promise<Changed> => {
    try {
      const { exceptionsFile } = config();
      const lines = await changeExceptions(exceptionsFile, (contents) => {
        if (gone())
          throw new Refused('unwritable', 'the client that asked for this change has gone, so it was not made');
        return edit(contents, termsOf(config(), now()));
      });
      await refreshed();
      return { ok: true, entries: lines.map((stored: StoredLine) => shownEntry(stored, now())) };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { ok: false, status: error instanceof Refused ? statuses[error.why] : 503, text: error.message };
    }
  };

  return {
    follow() {
      const { exceptionsFile, stored } = config();
      complain(stored.problem);
      if (following === exceptionsFile) return;
      following = exceptionsFile;
      look?.close();
      look = pollFile(exceptionsFile, refresh);
    },
    running() {
      const { policy, stored } = config();
      return {
        exceptions: runningOf(policy.exceptions, now()),
        pauses: runningOf(policy.pauses ?? [], now()),
        readable: stored.problem === null,
      };
    },
    list: (all) => ({ ...listEntries(config(), all, now()), problem: config().stored.problem }),
    add: (wanted, { by, gone }) => change((contents, terms) => add(contents, wanted, by, terms), gone),
    revoke: (id, { by, gone }) => change((contents, terms) => revoke(contents, id, by, terms), gone),
    pause: ({ vendor, for: text, reason }, { by, gone }) =>
      change((contents, terms) => {
        const length = parseLength(text);
        if (length === null) throw new Refused('invalid', `"${text}" is not a length of time; write one such as 30m`);
        return pause(contents, { vendor: vendor === '*' ? null : vendor, length, reason }, by, terms);
      }, gone),
    resume: (vendor, { by, gone }) =>
      change((contents, terms) => resume(contents, vendor === '*' ? null : vendor, by, terms), gone),
    close: () => look?.close(),
  };
}
