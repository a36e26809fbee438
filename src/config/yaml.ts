/**
 * Parses YAML into a plain value, with the position of each of its parts.
 *
 * Stricter than the language: UTF-8 only, one document, no aliases, no tags, no duplicate keys, and limits on size and
 * depth, so that no file can make the parser expand or recurse endlessly.
 */
import { statSync } from 'node:fs';
import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, Node, YAMLError } from 'yaml';
import { parsePlain } from './plain-yaml.ts';
import { invalidConfig } from './problem.ts';
import { readWhole } from '../read-whole.ts';
import type { Path, Position, Problem } from './problem.ts';

/** Configuration files are written by people; a larger file is something else. */
const MAX_BYTES = 1024 * 1024;
/** More than ten thousand rules have; a megabyte of commas exceeds it, and would take the parser seconds. */
const MAX_TOKENS = 800_000;
/** Our deepest file has six levels. */
const MAX_DEPTH = 50;
/** Block nesting takes at least one column per level. */
const MAX_INDENT = 500;

/** The usual cause of such a file: a policy with long lists of domains. */
const smaller = 'put long "domains" of a policy into files of their own, which it names under "lists"';

export interface YamlFile {
  readonly file: string;
  readonly text: string;
  readonly value: unknown;
  /** Position of the value or, with `onKey`, of its key; for something missing, where it would have to be. */
  readonly at: (path: Path, onKey: boolean) => Position;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; create it, or correct the path',
  ENOTDIR: 'there is no such file; a part of the path is not a folder',
  EISDIR: 'this is a folder; name the file in it',
  EACCES: 'the file may not be read; give the account that Sallyport runs under read access',
  EPERM: 'the file may not be read; give the account that Sallyport runs under read access',
  EMFILE:
    'cannot be read (EMFILE): this process has reached its open-file limit; raise LimitNOFILE of the service (ulimit -n)',
  ENFILE: 'cannot be read (ENFILE): this machine has reached its open-file limit; raise fs.file-max',
};

/** The message for a file or folder that cannot be read. */
export function unreadable(file: string, error: unknown): Problem {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  return { file, position: null, message: reasons[code] ?? `cannot be read (${code}); correct the path` };
}

function readBytes(file: string): Buffer | string {
  const { size } = statSync(file);
  return size > MAX_BYTES
    ? `the file has ${size} bytes; configuration files may have ${MAX_BYTES}; ${smaller}`
    : readWhole(file);
}

/** The text of a configuration file. @throws {InvalidConfig} if it is too large, not UTF-8, or unreadable. */
export function readText(file: string): string {
  const whole = (message: string): Error => invalidConfig([{ file, position: null, message }]);
  let bytes: Buffer | string;
  try {
    bytes = readBytes(file);
  } catch (error) {
    throw invalidConfig([unreadable(file, error)]);
  }
  if (typeof bytes === 'string') throw whole(bytes);
  try {
    // Also removes a byte order mark.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw whole('the file is not UTF-8; save it as UTF-8');
  }
}

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/**
 * Finds excessive depth or size before the parser, whose recursion would end in a stack overflow without a position.
 */
function tooMuch(text: string): { readonly offset: number; readonly message: string } | null {
  let offset = 0;
  let flow = 0;
  let onLine = 0;
  let tokens = 0;
  for (const token of new Lexer().lex(text)) {
    // Tokens of the lexer without text: document start, end of flow error, scalar.
    if (token === '\x02' || token === '\x18' || token === '\x1f') continue;
    if (token === '[' || token === '{') flow++;
    else if (token === ']' || token === '}') flow--;
    else if (token === '-' || token === '?') onLine++;
    else if (token.endsWith('\n')) onLine = 0;
    const indent = onLine === 0 && token.length > MAX_INDENT && token.trim() === '' ? token.length : 0;
    if (flow > MAX_DEPTH || onLine > MAX_DEPTH || indent > 0) {
      return { offset, message: `nested more than ${MAX_DEPTH} levels deep; flatten it` };
    }
    if (++tokens > MAX_TOKENS) return { offset, message: `far too many values for one file; ${smaller}` };
    offset += token.length;
  }
  return null;
}

function syntaxMessage(error: YAMLError, text: string): string {
  const { code } = error;
  if (code === 'TAB_AS_INDENT') return 'a tab is used for indentation; use spaces';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; keep one document, without "---"';
  if (code === 'TAG_RESOLVE_FAILED') return 'tags such as !name are not supported; write a plain value';
  if (text[error.pos[0]] === '*') return starNeedsQuotes;
  if (code === 'BLOCK_AS_IMPLICIT_KEY' && error.message.startsWith('Nested mappings')) {
    const line = text.slice(error.pos[0]).split('\n', 1)[0] ?? '';
    return /:(?:\s|$)/.test(line)
      ? 'text with a colon in it is read as a key; put the text in quotes, or the key on its own line'
      : 'the next line is indented as if it belonged to this value; align it with the lines around it';
  }
  return `not valid YAML: ${error.message.replace(/\.?\s*$/, '')}; check indentation, colons and quotes`;
}

const starNeedsQuotes = 'text that begins with * is an alias, which is not supported; put it in quotes';

/** What YAML allows and we do not. Duplicate keys are found here, as the parser's own check is quadratic. */
function forbidden(document: Document, place: (offset: number) => Position, file: string): Problem[] {
  const problems: Problem[] = [];
  const add = (node: Node | null, message: string): void => {
    problems.push({ file, position: place(node?.range?.[0] ?? 0), message });
  };
  const anchors = new Set<string>();
  const anchored = (_: unknown, { anchor }: { readonly anchor?: string | undefined }): void => {
    if (anchor !== undefined) anchors.add(anchor);
  };
  visit(document, { Value: anchored });
  visit(document, {
    Alias: (_, node) => {
      const { source } = node;
      const isMeant = anchors.has(source);
      add(
        node,
        isMeant ? `the alias *${source} is not supported; write out what &${source} stands for` : starNeedsQuotes,
      );
    },
    Map: (_, map) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) add(key, `the key "${String(key.value)}" appears twice in one mapping; keep one`);
        if (key.value === '__proto__') add(key, 'the key "__proto__" is not supported; remove it');
        if (key.value === '<<') add(key, 'the merge key "<<" is not supported; write the keys out');
        seen.add(key.value);
      }
    },
  });
  if (document.directives?.yaml.explicit === true) {
    add(null, 'the directive %YAML is not supported; remove the line');
  }
  return problems;
}

function locator(document: Document, place: (offset: number) => Position): YamlFile['at'] {
  return (path, onKey) => {
    let node: unknown = document.contents;
    let start = document.contents?.range?.[0] ?? 0;
    for (const [index, part] of path.entries()) {
      let next: unknown;
      let key: unknown;
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
        [next, key] = [pair?.value, pair?.key];
      } else if (isSeq(node)) next = node.items[Number(part)];
      const chosen = (onKey && index === path.length - 1 ? key : next) ?? key;
      const range = isScalar(chosen) || isMap(chosen) || isSeq(chosen) || isAlias(chosen) ? chosen.range : null;
      if (range === undefined || range === null) break;
      start = range[0];
      node = next;
    }
    return place(start);
  };
}

/**
 * Reads one YAML file.
 *
 * @throws {InvalidConfig} if it cannot be read, or is not YAML as defined by this module.
 */
export function readYaml(file: string): YamlFile {
  return parseYaml(file, readText(file));
}

/**
 * As {@link readYaml}, but fast for files in the plain subset: positions are determined only for errors.
 *
 * @throws {InvalidConfig} as {@link readYaml}.
 */
export function readPlainYaml(file: string): YamlFile {
  return parsePlainYaml(file, readText(file));
}

/** As {@link readPlainYaml}, for a text that was already read. @throws {InvalidConfig} */
export function parsePlainYaml(file: string, text: string): YamlFile {
  const value = parsePlain(text);
  return value === undefined ? parseYaml(file, text) : { file, text, value, at: unread(file, text).at };
}

/** A file whose text is known to be valid: parsed only if its value or a position is needed. */
export function unread(file: string, text: string): YamlFile {
  let full: YamlFile | null = null;
  const parsed = (): YamlFile => (full ??= parseYaml(file, text));
  return {
    file,
    text,
    get value() {
      return parsed().value;
    },
    at: (path, onKey) => parsed().at(path, onKey),
  };
}

/** As {@link readYaml}, for a text that was already read. @throws {InvalidConfig} */
export function parseYaml(file: string, text: string): YamlFile {
  const excess = tooMuch(text);
  if (excess !== null) {
    const { offset, message } = excess;
    throw invalidConfig([{ file, position: positionOf(text, offset), message }]);
  }
  const lines = new LineCounter();
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    uniqueKeys: false,
    stringKeys: true,
    version: '1.2',
    logLevel: 'error',
  });
  const found = [...document.errors, ...document.warnings];
  // Later errors are mostly consequences of the first; only a tab also affects what precedes it.
  const first =
    found.find(({ code }) => code === 'TAB_AS_INDENT') ?? found.toSorted((a, b) => a.pos[0] - b.pos[0]).at(0);
  const problems: Problem[] =
    first === undefined ? [] : [{ file, position: place(first.pos[0]), message: syntaxMessage(first, text) }];
  if (problems.length === 0) problems.push(...forbidden(document, place, file));
  if (problems.length === 0 && document.contents === null) {
    problems.push({ file, position: place(0), message: 'the file is empty; write its keys, or {} for none' });
  }
  if (problems.length > 0) throw invalidConfig(problems);
  return { file, text, value: document.toJS({ maxAliasCount: 0 }), at: locator(document, place) };
}
