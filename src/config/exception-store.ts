/**
 * Writes the file of exceptions: one change at a time, whatever the number of processes, and each durable or not made.
 *
 * Within a process, changes queue in memory, and one turn at the lock makes all that are queued: the file is read,
 * written and synced once for them, and other processes see one rival instead of hundreds.
 */
import { setImmediate } from 'node:timers/promises';
import { ConfigError } from '../errors.ts';
import { removeLeftovers, replaceFile } from './durable.ts';
import { Refused } from './exception-changes.ts';
import type { Change } from './exception-changes.ts';
import { checkLine, writeLine } from './exception-line.ts';
import type { StoredLine } from './exception-line.ts';
import { MAX_BYTES, readExceptions } from './exceptions-file.ts';
import type { Contents } from './exceptions-file.ts';
import { withLock } from './lock.ts';
import { shownPath } from './problem.ts';

/** A queued change. */
interface Waiting {
  /** The contents after the change, and a function that reports success once they are on disk. @throws {Refused} */
  readonly make: (before: Contents) => { readonly after: Contents; readonly done: () => void };
  readonly fail: (error: unknown) => void;
}

/** By file; a file without a queue is not being written. */
const queues = new Map<string, Waiting[]>();

/** The contents after a change, which must be readable again. @throws {Refused} */
function afterChange({ file, raw, lines }: Contents, { append, replace }: Change): Contents {
  const [rawAfter, linesAfter] = [[...raw], new Map(lines)];
  const put = (index: number, stored: StoredLine): void => {
    const text = writeLine(stored);
    rawAfter[index] = text;
    try {
      linesAfter.set(index, checkLine(JSON.parse(text)));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new Refused('invalid', error.message);
    }
  };
  for (const [index, stored] of replace) put(index, stored);
  for (const stored of append) put(rawAfter.length, stored);
  const bytes = rawAfter.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
  if (bytes > MAX_BYTES)
    throw new Refused('unwritable', 'the file of exceptions is full; move ended exceptions elsewhere');
  return { file, raw: rawAfter, lines: linesAfter };
}

/** Adds what to do to a system error. */
function inWords(file: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof ConfigError || code === undefined) return error;
  const cure = 'give this account write access to its folder, or set "exceptions" in sallyport.yaml to another place';
  return new Refused('unwritable', `${shownPath(file)}: cannot be written (${code}); ${cure}`);
}

/** Makes all queued changes; a rejected one is left out, and the others are made. */
async function takeTurn(file: string, queue: Waiting[]): Promise<void> {
  const answers: { readonly tell: () => void; readonly fail: (error: unknown) => void }[] = [];
  try {
    await withLock(file, async ({ still }) => {
      const before = readExceptions(file);
      let contents = before;
      for (const { make, fail } of queue.splice(0)) {
        try {
          const { after, done } = make(contents);
          contents = after;
          answers.push({ tell: done, fail });
        } catch (error) {
          const refuse = (): void => fail(error);
          answers.push({ tell: refuse, fail: refuse });
        }
        // Lets connections be served between two changes.
        await setImmediate();
      }
      if (contents === before) return;
      await removeLeftovers(file);
      if (!(await replaceFile(file, contents.raw.map((one) => `${one}\n`).join(''), still))) {
        throw new Refused('unwritable', `${shownPath(file)}: another process took over in the meantime; try again`);
      }
    });
    for (const { tell } of answers) tell();
  } catch (error) {
    // Others in the queue would wait as long for the same lock.
    for (const { fail } of [...answers, ...queue.splice(0)]) fail(inWords(file, error));
  }
}

async function takeTurns(file: string, queue: Waiting[]): Promise<void> {
  while (queue.length > 0) await takeTurn(file, queue);
  queues.delete(file);
}

/**
 * Makes a change to the file in turn. When this resolves, it survives a power failure.
 *
 * @param edit called once, in turn.
 * @throws {Refused} if `edit` refuses, or the file cannot be written; {InvalidConfig} if the file is unusable.
 */
export function changeExceptions<T extends StoredLine>(
  file: string,
  edit: (contents: Contents) => Change<T>,
): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const waiting: Waiting = {
      make(before) {
        const change = edit(before);
        return {
          after: afterChange(before, change),
          done: () => resolve([...change.replace.values(), ...change.append]),
        };
      },
      fail: reject,
    };
    const queue = queues.get(file);
    if (queue !== undefined) {
      queue.push(waiting);
      return;
    }
    const mine = [waiting];
    queues.set(file, mine);
    void takeTurns(file, mine);
  });
}
