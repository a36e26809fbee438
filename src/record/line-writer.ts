/**
 * Lines to a file or a stream, without ever making a request wait. Lines are gathered while one write is under way and
 * leave together with the next; beyond a bound they are dropped and counted. A full disk or a vanished reader costs
 * lines, never traffic.
 */
import { createWriteBuffer } from './write-buffer.ts';

export interface LineWriter {
  /** `line` ends in a newline. Never throws, never waits. */
  write(line: string): void;
  /** Several lines at once, each with its newline: all of them or none. */
  append(lines: string): void;
  /** Opens the file anew, for log rotation; nothing for a stream. */
  reopen(): void;
  /** Writes what is queued, for at most some seconds. Later lines count as lost. */
  close(): Promise<void>;
  /** Lines that were not written, since the start. */
  readonly lost: number;
}

/** Where chunks of lines go: one at a time, the next one after `done`. */
export interface Destination {
  /**
   * `done` is called once, later, with the number of bytes that were written and the error that ended it, if any. From
   * then on `chunk` is no longer what it was: its memory is used again.
   */
  write(chunk: Buffer, done: (written: number, error: Error | null) => void): void;
  /** Called between writes; `done` is called once, later. Where it fails, the old destination stays in use until the next. */
  reopen(done: (error: Error | null) => void): void;
  close(): void;
}

/** UTF-16 units in memory at most: about 15,000 lines. */
const pendingLimit = 8 * 1024 * 1024;

/** How long `close` waits for a reader that does not read, milliseconds. */
const closeLimit = 2000;

const newline = 0x0a;

/** Milliseconds for which lines are batched: separate writes would cost more than the lines themselves. */
const flushAfter = 50;

/** UTF-16 units after which lines are written without waiting for more. */
const flushAt = 256 * 1024;

/** Milliseconds from a reopening that failed to the next, which needs a line to write. */
const againAfter = 1000;

/** `write`: lines are lost. `reopen`: they go on into the destination that was open, until the new one can be had. */
export type Fault = 'write' | 'reopen';

/** `onFault` hears the first error of each spell of errors, so that a full disk is one message, not thousands. */
export function createLineWriter(destination: Destination, onFault: (error: Error, fault: Fault) => void): LineWriter {
  const pending = createWriteBuffer();
  /** In UTF-16 units, which saves counting bytes. */
  let pendingUnits = 0;
  let pendingLines = 0;
  let lost = 0;
  /** A write or a reopening is under way, or one is scheduled. */
  let busy = false;
  let reopening = false;
  /** When a reopening that failed is tried again, by a clock that never goes back; null: none has failed. */
  let againAt: number | null = null;
  let failing = false;
  /** A write ended inside a line: the next one begins a new line, or it would spoil a second record. */
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

  /** Writes soon; at once where there is a reason. */
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
    // A write that is still under way owns the descriptor; closed now, its number could soon be another file's.
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

/** The lines of `chunk` that end behind its first `from` bytes, so the ones that were not written whole. */
function countLines(chunk: Buffer, from: number): number {
  let lines = 0;
  for (let at = chunk.indexOf(newline, from); at !== -1; at = chunk.indexOf(newline, at + 1)) lines += 1;
  return lines;
}
