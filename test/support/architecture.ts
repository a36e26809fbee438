/** What holds the shape of a tree of sources: the tables themselves are in `test/architecture.test.ts`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import ts from 'typescript';

export interface Rule {
  /** Rooms, or single files; `*` is every room but those in `not`. */
  readonly may: readonly string[];
  readonly not?: readonly string[];
  /** Types only: nothing is left of the import at run time. */
  readonly types?: readonly string[];
  /** No package and no module of Node. */
  readonly pure?: true;
}

export interface Tables {
  readonly rooms: Readonly<Record<string, Rule>>;
  /** Where each package may be used. */
  readonly homes: Readonly<Record<string, readonly string[]>>;
}

const MAX_LINES = 300;

interface Import {
  readonly name: string;
  readonly typeOnly: boolean;
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  return (
    clause.name === undefined &&
    named !== undefined &&
    ts.isNamedImports(named) &&
    named.elements.every((element) => element.isTypeOnly)
  );
}

/** Every module that a file names: imports, re-exports, `import()`, `require()`, and types by `import('…')`. */
function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node | undefined, typeOnly: boolean): void => {
    // A name that is put together at run time cannot be held to any table.
    const name = node !== undefined && ts.isStringLiteralLike(node) ? node.text : '(computed)';
    found.push({ name, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node));
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)
      add(node.moduleSpecifier, isTypeOnly(node));
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    else if (ts.isExternalModuleReference(node)) add(node.expression, false);
    else if (ts.isCallExpression(node)) {
      const called = node.expression;
      const isRequire = ts.isIdentifier(called) && called.text === 'require';
      if (called.kind === ts.SyntaxKind.ImportKeyword || isRequire) add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

function roomOf(file: string): string {
  const [first = '', ...rest] = file.split('/');
  return rest.length === 0 ? first.replace(/\.ts$/, '') : first;
}

function isNodeModule(name: string): boolean {
  return name.startsWith('node:') || builtinModules.includes(name);
}

/** What is wrong with one import of a file in `room`; null where it is right. */
function faultOf(
  file: string,
  room: string,
  rule: Rule,
  homes: Tables['homes'],
  { name, typeOnly }: Import,
): string | null {
  if (name === '(computed)') return 'imports a name that is computed';
  if (!name.startsWith('.')) {
    if (rule.pure === true) return `imports "${name}", but is pure`;
    // By it a module can be loaded that no import names.
    if (name === 'node:module' || name === 'module') return 'imports "node:module"';
    if (isNodeModule(name)) return null;
    const parts = name.split('/', name.startsWith('@') ? 2 : 1).join('/');
    const home = Object.hasOwn(homes, parts) ? homes[parts] : undefined;
    if (home === undefined) return `imports the package "${parts}", which has no home`;
    return home.includes(room) ? null : `imports "${parts}", whose home is ${home.join(', ')}`;
  }
  const target = posix.normalize(posix.join(posix.dirname(file), name));
  if (target.startsWith('..')) return `imports ${target}, which is outside of src`;
  const other = roomOf(target);
  if (other === room) return null;
  if (rule.types?.includes(other) === true) return typeOnly ? null : `imports more than types from ${other}`;
  const everything = rule.may.includes('*') && rule.not?.includes(other) !== true;
  return everything || rule.may.includes(other) || rule.may.includes(target) ? null : `imports ${target}`;
}

/** The TypeScript files below a folder, as paths with slashes. */
export function sources(root: string): string[] {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  return names.filter((name) => /\.[cm]?[jt]sx?$/.test(name)).toSorted();
}

/** Everything that breaks the table in a tree of sources, one line each: `file: what`. */
export function violations(src: string, { rooms, homes }: Tables): string[] {
  return sources(src).flatMap((file) => {
    const text = readFileSync(join(src, file), 'utf8');
    const room = roomOf(file);
    const rule = Object.hasOwn(rooms, room) ? rooms[room] : undefined;
    // Blank lines are free, as they are for ESLint.
    const lines = text.split('\n').filter((line) => line.trim() !== '').length;
    const faults = [
      ...(lines > MAX_LINES ? [`has ${lines} lines, and ${MAX_LINES} is the limit`] : []),
      ...(rule === undefined
        ? [`the room "${room}" is not in the table`]
        : importsOf(file, text).map((one) => faultOf(file, room, rule, homes, one))),
    ];
    return faults.filter((fault) => fault !== null).map((fault) => `${file}: ${fault}`);
  });
}

/** Files that no test is named after or listed for, and entries of the list that are not needed or name nothing. */
export function uncovered(root: string, listed: Readonly<Record<string, string | null>>): string[] {
  const files = sources(join(root, 'src'));
  const own = (file: string): string => join('test', file.replace(/\.ts$/, '.test.ts'));
  const without = files.filter((file) => !Object.hasOwn(listed, file) && !existsSync(join(root, own(file))));
  const stale = Object.entries(listed).flatMap(([file, cover]) => {
    if (!files.includes(file)) return [`${file}: is listed and does not exist`];
    if (existsSync(join(root, own(file)))) return [`${file}: is listed and has a test of its own`];
    return cover === null || existsSync(join(root, cover))
      ? []
      : [`${file}: is covered by ${cover}, which does not exist`];
  });
  return [
    ...without.map((file) => `${file}: has no test; write ${own(file)}, or list the one that covers it`),
    ...stale,
  ];
}
