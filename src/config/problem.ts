/** What is wrong with configuration: where, in one line, and how several problems become one error. */
import { isAbsolute, join, parse, relative } from 'node:path';
import { ConfigError } from '../errors.ts';

/** Keys and list positions from the top of a file to a value. */
export type Path = readonly PropertyKey[];

/** A finding that knows its place in the document but not yet its line. */
export interface Finding {
  readonly path: Path;
  /** What is wrong; then, behind a semicolon, the cure. */
  readonly message: string;
  /** The key itself is wrong, not its value. */
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
  /** Null where the file as a whole is meant. */
  readonly position: Position | null;
  readonly message: string;
}

/** A path as messages show it: relative where it lies below the working directory. */
export function shownPath(file: string): string {
  const near = relative('', file);
  // From the root everything is below, and without its first slash a path only looks like another one.
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

/** Configuration that cannot be used. `message` is the first problem and the number of the others. */
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

/** In the order of the lines, within the order in which the files were read; each once. */
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

/** As JSON has it: null where the file as a whole is meant. */
export function shownProblem({ file, position, message }: Problem) {
  return { file: shownPath(file), line: position?.line ?? null, column: position?.column ?? null, message };
}
