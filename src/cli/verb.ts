/** The interface of a command. Each command has a file; `main.ts` has the table. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { nearest } from '../config/nearest.ts';

export interface Io {
  /** Writes one line to standard output. */
  readonly out: (line: string) => void;
  /** Writes one line to standard error. */
  readonly err: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin?: AsyncIterable<Buffer>;
  /** Writes a line that the next one overwrites; absent without a terminal. */
  readonly progress?: ((line: string) => void) | undefined;
}

/** 0: success; 1: the answer is no; 2: wrong usage or unusable configuration. */
export type ExitCode = 0 | 1 | 2;

export interface Verb {
  /** One line for the list of commands. */
  readonly summary: string;
  /** The arguments, such as `explain URL-or-HOST [--client IP]`. */
  readonly usage: string;
  readonly run: (args: readonly string[], io: Io) => Promise<ExitCode>;
}

/** Thrown for wrong usage; the message is one line, and `main.ts` exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `parseArgs` in strict mode, whose errors become a {@link UsageError}. */
export function parse<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      unknownOption(message, config) ?? wrongValue(message) ?? oneTooMany(message, config) ?? message,
      { cause: error },
    );
  }
}

/** Replaces Node's message about an unknown option, which is about something else; null for other messages. */
function unknownOption(message: string, { options = {} }: ParseArgsConfig): string | null {
  const given = /^Unknown option '(--?[^']*)'/.exec(message)?.[1];
  if (given === undefined) return null;
  const known = Object.keys(options).map((name) => `--${name}`);
  return `unknown option ${given}; ${meant(given, known) ?? `${known.length === 1 ? 'there is only' : 'there are'} ${known.join(', ')}`}`;
}

/** Replaces Node's message about a missing or unexpected value; null for other messages. */
function wrongValue(message: string): string | null {
  const [, option = '', fault] =
    /^Option '(?:-\w, )?(--[\w-]+)(?: <value>)?'? (argument missing|argument is ambiguous|does not take an argument)/.exec(
      message,
    ) ?? [];
  if (fault === undefined) return null;
  if (fault === 'does not take an argument') return `${option} takes no value; remove what follows it`;
  if (fault === 'argument missing') return `${option} needs a value after it`;
  return `${option} needs a value; if that begins with "-", write ${option}=-VALUE`;
}

/** If a command takes no words, a file name is probably meant as its configuration. */
function oneTooMany(message: string, { options = {} }: ParseArgsConfig): string | null {
  const given = /^Unexpected argument '([^']*)'/.exec(message)?.[1];
  if (given === undefined) return null;
  const file = 'config' in options && /\.ya?ml$/.test(given) ? `; write -c ${given} to use that sallyport.yaml` : '';
  return `unexpected argument "${given}"${file}`;
}

/** A suggestion for a misspelled word; null if no known word is similar. */
export function meant(word: string, known: readonly string[]): string | null {
  const near = nearest(word, known);
  return near === null ? null : `did you mean ${near}?`;
}

/** The `-c FILE` option of every command that reads the configuration. */
export const configOption = { config: { type: 'string', short: 'c' } } as const;

const example = fileURLToPath(new URL('../../config/sallyport.yaml', import.meta.url));

/**
 * The configuration file: `-c`, then `SALLYPORT_CONFIG`, then `config/sallyport.yaml` in the working directory, then
 * the example in the package, which not every installation has.
 */
export function configFile(given: string | undefined, io: Io, shipped = example): string {
  const named = given ?? io.env['SALLYPORT_CONFIG'];
  if (named !== undefined && named !== '') return resolve(io.cwd, named);
  const local = resolve(io.cwd, 'config/sallyport.yaml');
  const found = [local, shipped].find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new UsageError(`there is no ${local}, and none was named; name one with -c FILE or in SALLYPORT_CONFIG`);
}
