/** Writes the file of exceptions: one change at a time, however many processes want one, and each durable or not made. */
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

/** The file as it is to be: nothing is written that could not be read again. @throws {Refused} */
function textOf({ raw }: Contents, { append, replace }: Change): string {
  for (const stored of [...append, ...replace.values()]) {
    try {
      checkLine(JSON.parse(writeLine(stored)));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new Refused('invalid', error.message);
    }
  }
  const lines = raw.map((text, index) => {
    const stored = replace.get(index);
    return stored === undefined ? text : writeLine(stored);
  });
  const text = [...lines, ...append.map(writeLine)].map((one) => `${one}\n`).join('');
  if (Buffer.byteLength(text) <= MAX_BYTES) return text;
  throw new Refused('unwritable', 'the file of exceptions is full; move lines that ended elsewhere');
}

/**
 * Makes a change to what is in the file now. What it returns is on the disk, and stays there after a power cut.
 *
 * @throws {Refused} where `edit` refuses, and where the file cannot be written; {InvalidConfig} where it cannot be used.
 */
export async function changeExceptions<T extends StoredLine>(
  file: string,
  edit: (contents: Contents) => Change<T>,
): Promise<T[]> {
  try {
    return await withLock(file, async ({ still }) => {
      const contents = readExceptions(file);
      const change = edit(contents);
      const text = textOf(contents, change);
      await removeLeftovers(file);
      if (!(await replaceFile(file, text, still))) {
        throw new Refused('unwritable', `${shownPath(file)}: another process took over meanwhile; try again`);
      }
      return [...change.replace.values(), ...change.append];
    });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const cure = 'let this account write to its folder, or name another place as "exceptions" in sallyport.yaml';
    throw new Refused('unwritable', `${shownPath(file)}: cannot be written (${code}); ${cure}`);
  }
}
