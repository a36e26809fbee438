/** Reads a domain list in small steps, so that connections do not wait for a million lines. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { DomainList } from '../flow.ts';
import { createLineReader } from './list-lines.ts';
import type { LineResult, ListFormat, TakeName } from './list-lines.ts';
import { refuseKind } from '../read-whole.ts';

/** Receives the names; `build` works in small steps. */
export interface ListBuilder<T> {
  readonly add: TakeName;
  readonly build: () => Generator<void, T>;
}

export interface ListText {
  readonly lines: number;
  /** Lines that are neither domains nor comments. */
  readonly bad: number;
  /** The first of them, from 1, and what is wrong with it. */
  readonly firstBad: { readonly line: number; readonly why: string } | null;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly sha256: string;
}

/** Bytes. Longer lines contain no name. */
const BUFFER = 64 * 1024;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Counts the lines while they are read. */
function createLineCounts(read: (bytes: Uint8Array, from: number, to: number) => LineResult) {
  let [lines, domains, bad] = [0, 0, 0];
  let firstBad: ListText['firstBad'] = null;
  const note = (result: LineResult): void => {
    lines += 1;
    if (result === 'domains') domains += 1;
    else if (result !== 'nothing') {
      bad += 1;
      firstBad ??= { line: lines, why: result };
    }
  };
  return {
    line: (bytes: Uint8Array, from: number, to: number): void => note(read(bytes, from, to)),
    tooLong: (): void => note('not a domain'),
    result: () => ({ lines, domains, bad, firstBad }),
  };
}

function tooLarge(size: number, maxBytes: number): Error {
  return new Error(`it has ${size} bytes, but max_bytes of the list is ${maxBytes}; raise that`);
}

async function readLines(
  handle: FileHandle,
  maxBytes: number,
  counts: ReturnType<typeof createLineCounts>,
): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(BUFFER);
  let kept = 0;
  let size = 0;
  let skipping = false;
  let first = true;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, kept, BUFFER - kept);
    // Some files have no size, and some grow while they are read.
    size += bytesRead;
    if (size > maxBytes) throw tooLarge(size, maxBytes);
    hash.update(buffer.subarray(kept, kept + bytesRead));
    const end = kept + bytesRead;
    let start = first && buffer.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
    first = false;
    for (let at = buffer.indexOf(NEWLINE, start); at !== -1 && at < end; at = buffer.indexOf(NEWLINE, start)) {
      if (!skipping) counts.line(buffer, start, at);
      skipping = false;
      start = at + 1;
    }
    if (bytesRead === 0) {
      if (start < end && !skipping) counts.line(buffer, start, end);
      return hash.digest('hex');
    }
    kept = end - start;
    if (kept === BUFFER) {
      if (!skipping) counts.tooLong();
      skipping = true;
      kept = 0;
    } else if (start > 0) buffer.copyWithin(0, start, end);
  }
}

function unfit({
  lines,
  domains,
  bad,
  firstBad,
}: ReturnType<ReturnType<typeof createLineCounts>['result']>): string | null {
  if (bad <= domains || firstBad === null) return null;
  return `it is not a list of domains: ${bad} of ${lines} lines are not domains, the first is line ${firstBad.line} (${firstBad.why})`;
}

/**
 * Reads a list. Lines that are no domains are counted.
 *
 * @throws {Error} if the file cannot be read, is larger than `maxBytes`, or is no list.
 */
export async function readList<T>(
  file: string,
  format: ListFormat,
  maxBytes: number,
  builder: ListBuilder<T>,
): Promise<{ readonly set: T; readonly text: ListText }> {
  // Waiting for a pipe would occupy one of the few threads that files and DNS share.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    refuseKind(stats);
    if (stats.size > maxBytes) throw tooLarge(stats.size, maxBytes);
    const counts = createLineCounts(createLineReader(format, builder.add).read);
    const sha256 = await readLines(handle, maxBytes, counts);
    const result = counts.result();
    const why = unfit(result);
    if (why !== null) throw new Error(why);
    const steps = builder.build();
    for (;;) {
      const step = steps.next();
      const { lines, bad, firstBad } = result;
      if (step.done === true) return { set: step.value, text: { lines, bad, firstBad, sha256 } };
      await setImmediate();
    }
  } finally {
    await handle.close();
  }
}

/**
 * Reads a list of the policy, from its file or another, and checks what the policy requires of it, so that proxy and
 * commands reject the same lists.
 *
 * @throws {Error} as {@link readList}; and if the SHA-256 differs, or a fetched list is empty.
 */
export async function readDomainList<T extends { readonly size: number }>(
  { format, maxBytes, sha256, url }: DomainList,
  file: string,
  builder: ListBuilder<T>,
): Promise<{ readonly set: T; readonly text: ListText }> {
  const found = await readList(file, format, maxBytes, builder);
  if (sha256 !== null && found.text.sha256 !== sha256) {
    throw new Error(`its SHA-256 is ${found.text.sha256}, not the one that the policy names`);
  }
  if (url !== null && found.set.size === 0) throw new Error('it contains no domains');
  return found;
}
