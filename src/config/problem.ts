/** Problems in the configuration: their places, and how several become one error. */
import { isAbsolute, join, parse, relative } from 'node:path';
import { ConfigError } from '../errors.ts';

/** Keys and list positions from the top of a file to a value. */
export type Path = readonly PropertyKey[];

/** A problem at a place in the document, before its line is known. */
export interface Finding {
  readonly path: Path;
  /** What is wrong and, after a semicolon, what to do. */
  readonly message: string;
  /** The key is wrong, not its value. */
  readonly onKey?: boolean;
}

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export interface Problem {
  readonly file: string;
  /** Null for the file as a whole. */
  readonly position: Position | null;
  readonly message: string;
}

/** A path for messages: relative if it is below the working directory. */
export function shownPath(file: string): string {
  const near = relative('', file);
  // Everything is below the root, where a relative path would only be missing its slash.
  const isFromRoot = join(parse(file).root, near) === file;
  return near === '' || near.startsWith('..') || isAbsolute(near) || isFromRoot ? file : near;
}

/** `path/to/file.yaml:LINE:COL`. */
export function shownPlace({ file, position }: Problem): string {
  return `${shownPath(file)}${position === null ? '' : `:${position.line}:${position.column}`}`;
}

function line(problem: Problem): string {
  return `${shownPlace(problem)}: ${problem.message.replaceAll(/\s+/g, ' ').trim()}`;
}

/** Unusable configuration. `message` is the first problem and the number of others. */
export class InvalidConfig extends ConfigError {
  /** In the order of the files. */
  readonly problems: readonly Problem[];
  /** The problems, one line each. */
  readonly issues: readonly string[];

  constructor(problems: readonly Problem[]) {
    const issues = problems.map(line);
    const more = issues.length - 1;
    super(`${issues[0] ?? ''}${more > 0 ? ` (and ${more} more)` : ''}`);
    this.problems = problems;
    this.issues = issues;
  }
}

/** Sorted by line within each file, in the order in which files were read, without duplicates. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  const place = ({ position }: Problem): readonly [number, number] => [position?.line ?? 0, position?.column ?? 0];
  const sorted = problems.toSorted((a, b) => {
    const [lineA, columnA] = place(a);
    const [lineB, columnB] = place(b);
    return files.indexOf(a.file) - files.indexOf(b.file) || lineA - lineB || columnA - columnB;
  });
  return [...new Map(sorted.map((problem) => [line(problem), problem])).values()];
}

/** Several problems as one error. */
export function invalidConfig(problems: readonly Problem[]): InvalidConfig {
  return new InvalidConfig(inOrder(problems));
}

/** As in JSON: null for the file as a whole. */
export function shownProblem({ file, position, message }: Problem) {
  return { file: shownPath(file), line: position?.line ?? null, column: position?.column ?? null, message };
}
