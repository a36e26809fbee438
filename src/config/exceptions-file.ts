/** Reads the file of exceptions, in JSON lines: all of them, or none and one line that says why. */
import { ConfigError } from '../errors.ts';
import { checkLine } from './exception-line.ts';
import type { StoredLine } from './exception-line.ts';
import type { InvalidConfig } from './problem.ts';
import { invalidConfig } from './problem.ts';
import { readWhole } from '../read-whole.ts';
import { unreadable } from './yaml.ts';

/** Some forty thousand lines. */
export const MAX_BYTES = 16 * 1024 * 1024;

export interface Contents {
  readonly file: string;
  /** The lines as written, without line breaks; empty ones too. */
  readonly raw: readonly string[];
  /** By line number, from 0. */
  readonly lines: ReadonlyMap<number, StoredLine>;
}

function wrong(file: string, line: number | null, message: string): InvalidConfig {
  return invalidConfig([{ file, position: line === null ? null : { line: line + 1, column: 1 }, message }]);
}

function readBytes(file: string): Buffer | null {
  try {
    return readWhole(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw invalidConfig([unreadable(file, error)]);
  }
}

function textOf(file: string): string {
  const bytes = readBytes(file);
  if (bytes === null) return '';
  if (bytes.length > MAX_BYTES) {
    throw wrong(
      file,
      null,
      `the file has ${bytes.length} bytes; at most ${MAX_BYTES} are allowed; move ended exceptions elsewhere`,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw wrong(file, null, 'the file is not UTF-8; save it as UTF-8');
  }
}

function parseLine(file: string, index: number, text: string): StoredLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong(file, index, 'not valid JSON; each line is one exception; correct or remove it');
  }
  try {
    return checkLine(value);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw wrong(file, index, error.message);
  }
}

/**
 * Reads the file synchronously; a missing file has no lines. Lines that are the same as in `before` are not validated
 * again.
 *
 * @throws {InvalidConfig} if any line is unusable.
 */
export function readExceptions(file: string, before?: Contents): Contents {
  const known = new Map<string, StoredLine>();
  for (const [index, stored] of before?.lines ?? []) known.set(before?.raw[index] ?? '', stored);
  const raw = textOf(file).split('\n');
  if (raw.at(-1) === '') raw.pop();
  const lines = new Map<number, StoredLine>();
  const seen = new Map<string, number>();
  for (const [index, text] of raw.entries()) {
    if (text.trim() === '') continue;
    const stored = known.get(text) ?? parseLine(file, index, text);
    const first = seen.get(stored.id);
    if (first !== undefined) {
      throw wrong(file, index, `the id "${stored.id}" is already used in line ${first + 1}; rename one of the two`);
    }
    seen.set(stored.id, index);
    lines.set(index, stored);
  }
  return { file, raw, lines };
}
