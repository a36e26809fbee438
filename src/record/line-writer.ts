/**
 * Writes lines to a file or a stream without delaying requests. Lines that arrive during a write are batched into the
 * next one; beyond a limit they are dropped and counted. A full disk or a vanished reader loses lines, never traffic.
 */
import { createWriteBuffer } from './write-buffer.ts';

export interface LineWriter {
  /** `line` ends in a newline. Never throws, never waits. */
  write(line: string): void;
  /** Queues several lines, each with its newline: all or none of them. */
  append(lines: string): void;
  /** Reopens the file, for log rotation; has no effect on a stream. */
  reopen(): void;
  /** Writes what is queued, but gives up after {@link closeLimit}. Later lines count as lost. */
  close(): Promise<void>;
  /** Lines not written since the process started. */
  readonly lost: number;
}

/** Where chunks of lines are written: one at a time, the next one after `done`. */
export interface Destination {
  /**
   * Calls `done` once, asynchronously, with the number of bytes written and the error that stopped it, if any. The
   * memory of `chunk` is reused afterwards.
   */
  write(chunk: Buffer, done: (written: number, error: Error | null) => void): void;
  /** Called between writes; calls `done` once, asynchronously. If it fails, the old destination stays in use. */
  reopen(done: (error: Error | null) => void): void;
  close(): void;
}

/** Maximum UTF-16 units in memory: about 15,000 lines. */
const pendingLimit = 8 * 1024 * 1024;

/** Milliseconds that `close` waits for a stalled reader. */
const closeLimit = 2000;

const newline = 0x0a;

/** Milliseconds for which lines are batched: separate writes would cost more than the lines themselves. */
const flushAfter = 50;

/** UTF-16 units after which lines are written without waiting for more. */
const flushAt = 256 * 1024;

/** Milliseconds after a failed reopen until the next try, which only happens if there is a line to write. */
const againAfter = 1000;

/** `write`: lines are lost. `reopen`: lines still go to the old destination until the new one can be opened. */
export type Fault = 'write' | 'reopen';

/** `onFault` is called for the first of consecutive errors, so that a full disk causes one message, not thousands. */
export function createLineWriter(destination: Destination, onFault: (error: Error, fault: Fault) => void): LineWriter {
  const pending = createWriteBuffer();
  /** In UTF-16 units, which saves counting bytes. */
  let pendingUnits = 0;
  let pendingLines = 0;
  let lost = 0;
  /** A write or a reopen is in progress or scheduled. */
  let busy = false;
  let reopening = false;
  /** When to retry a failed reopen, in monotonic milliseconds; null: the last one did not fail. */
  let againAt: number | null = null;
  let failing = false;
  /** The last write ended within a line: the next one starts with a newline, so as not to corrupt a second record. */
  let torn = false;
  let closed = false;
  let idle: (() => void) | null = null;
  let closing: Promise<void> | null = null;

  let timer: NodeJS.Timeout | null = null;

  const settle = (error: Error | null): void => {
    if (error !== null && !failing) onFault(error, 'write');
    failing = error !== null;
    goOn();
  };

  const reopened = (error: Error | null): void => {
    if (error !== null && againAt === null) onFault(error, 'reopen');
    againAt = error === null ? null : performance.now() + againAfter;
    if (error === null) failing = false;
    goOn();
  };

  const goOn = (): void => {
    if (pendingLines > 0) gather();
    else next();
  };

  const isUrgent = (): boolean => closed || reopening || pendingUnits >= flushAt;

  /** Schedules a write, or starts it at once if it is urgent. */
  const gather = (): void => {
    if (isUrgent()) next();
    else timer ??= setTimeout(next, flushAfter);
  };

  const next = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const again = againAt !== null && pendingLines > 0 && performance.now() >= againAt;
    if (reopening || again) {
      reopening = false;
      destination.reopen(reopened);
      return;
    }
    if (pendingLines === 0) {
      busy = false;
      idle?.();
      return;
    }
    const head = torn ? 1 : 0;
    const chunk = pending.take(torn);
    pendingUnits = 0;
    pendingLines = 0;
    destination.write(chunk, (written, error) => {
      if (written > 0) torn = chunk[written - 1] !== newline;
      if (written < chunk.length) lost += countLines(chunk, Math.max(written, head));
      pending.giveBack();
      settle(error);
    });
  };

  const start = (): void => {
    const scheduled = timer !== null;
    if (busy && !scheduled) return;
    busy = true;
    if (scheduled && isUrgent()) next();
    else gather();
  };

  const drain = async (): Promise<void> => {
    closed = true;
    if (timer !== null) next();
    if (busy) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, closeLimit);
        idle = () => {
          clearTimeout(limit);
          resolve();
        };
      });
    }
    lost += pendingLines;
    pendingLines = 0;
    pendingUnits = 0;
    pending.clear();
    // A write in progress still uses the descriptor: if it were closed, its number could be reused for another file.
    if (!busy) destination.close();
  };

  const put = (text: string, lines: number): void => {
    if (closed || pendingUnits + text.length > pendingLimit) {
      lost += lines;
      return;
    }
    pending.add(text);
    pendingUnits += text.length;
    pendingLines += lines;
    start();
  };

  return {
    get lost() {
      return lost;
    },
    write: (line) => put(line, 1),
    append: (lines) => put(lines, countIn(lines)),
    reopen() {
      if (closed) return;
      reopening = true;
      start();
    },
    close() {
      closing ??= drain();
      return closing;
    },
  };
}

function countIn(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

/** The number of lines that end after the first `from` bytes of `chunk`, and so were not written completely. */
function countLines(chunk: Buffer, from: number): number {
  let lines = 0;
  for (let at = chunk.indexOf(newline, from); at !== -1; at = chunk.indexOf(newline, at + 1)) lines += 1;
  return lines;
}
