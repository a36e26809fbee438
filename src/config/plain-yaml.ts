/**
 * Reads the subset of YAML in which most files are written, at a fiftieth of the cost: block mappings and lists, flow
 * collections on one line, plain and quoted text without escapes, integers, `>-`, comments. Hundreds of vendor files
 * are read at each start, and a policy of a thousand rules would hold up connections while it is reloaded. Anything
 * else, and errors, is left to the full parser, which knows line numbers.
 */

/** Thrown for anything outside the subset. */
class Beyond extends Error {}

interface Line {
  readonly indent: number;
  readonly text: string;
  /** Whether empty lines or comments come before it. */
  readonly gap: boolean;
  /** The largest indentation of those comments, and of lines that only have spaces; -1 if there are none. */
  readonly note: number;
}

/** Columns. Deeper files are left to the full parser, which limits the depth. */
const MAX_INDENT = 50;

const key = /^([A-Za-z0-9_][A-Za-z0-9_./@-]*|'[^']*'):(?: +(.*))?$/;
const words = /^(?:null|true|false|~)$/i;
/** Integers in their ordinary spelling. */
const integer = /^(?:0|-?[1-9][0-9]{0,14})$/;
/** Numbers of the core schema in all spellings. */
const numeric = /^[-+]?(?:0[xo][0-9a-f]+|[0-9]+(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?)$/i;

function plain(text: string, reserved: RegExp): string | boolean | number {
  if (text === 'true' || text === 'false') return text === 'true';
  if (integer.test(text)) return Number(text);
  if (text === '' || reserved.test(text) || words.test(text) || numeric.test(text)) throw new Beyond();
  return text;
}

/** In a block: no leading indicator, no mapping and no comment inside. */
const inBlock = /^[-?:,[\]{}#&*!|>'"%@`+]|^\.(?!\.?\/)|: |:$| #|\s$/;
const inFlow = /^[-?:,[\]{}#&*!|>'"%@`+]|^\.(?!\.?\/)|[,[\]{}]|: |:$| #|\s$/;

/** Double quotes only without escapes. */
function quoted(text: string): string {
  const mark = text.charAt(0);
  const inside = text.slice(1, -1);
  if (text.length < 2 || !text.endsWith(mark)) throw new Beyond();
  if (mark === '"') {
    if (/["\\]/.test(inside)) throw new Beyond();
    return inside;
  }
  const unescaped = inside.replaceAll("''", '');
  if (unescaped.includes("'")) throw new Beyond();
  return inside.replaceAll("''", "'");
}

function isQuoted(text: string): boolean {
  return text.startsWith("'") || text.startsWith('"');
}

/** The items of a flow collection, split at commas outside quotes. */
function items(text: string): string[] {
  const found = text.match(/'(?:[^']|'')*'(?:: +(?:'(?:[^']|'')*'|[^,']*))?|[^,']+(?:'(?:[^']|'')*')?/g) ?? [];
  if (found.join(',') !== text) throw new Beyond();
  return found.map((item) => item.trim()).filter((item, i, all) => item !== '' || i < all.length - 1);
}

function flowItem(text: string): string | boolean | number {
  return isQuoted(text) ? quoted(text) : plain(text, inFlow);
}

function put(map: Record<string, unknown>, name: string, value: unknown): void {
  const text = name.startsWith("'") ? quoted(name) : name;
  if (text === '__proto__' || Object.hasOwn(map, text)) throw new Beyond();
  map[text] = value;
}

function flowMap(text: string): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (const item of items(text)) {
    const [, name, value] = key.exec(item) ?? [];
    if (name === undefined || value === undefined || words.test(name) || numeric.test(name)) throw new Beyond();
    put(map, name, value.startsWith('[') || value.startsWith('{') ? inline(value) : flowItem(value));
  }
  return map;
}

/** Longer than any line that a person writes; an unterminated quote would make it slow. */
const MAX_LINE = 2000;

function inline(text: string): unknown {
  if (text.length > MAX_LINE) throw new Beyond();
  // If what comes before is complete by itself, the rest is a comment.
  const comment = text.indexOf(' #');
  const before = comment === -1 ? text : text.slice(0, comment).trimEnd();
  const own = /[\]}'"]$/.test(before) ? before : text;
  if (own.startsWith('[') && own.endsWith(']')) {
    const inside = own.slice(1, -1).trim();
    return inside === '' ? [] : items(inside).map(flowItem);
  }
  if (own.startsWith('{') && own.endsWith('}')) return flowMap(own.slice(1, -1).trim());
  return isQuoted(own) ? quoted(own) : plain(before, inBlock);
}

/** Reads from `at.line` on; each reader stops at the first line that is not its own. */
interface Reader {
  readonly lines: Line[];
  line: number;
}

function folded(reader: Reader, above: number): string {
  const parts: string[] = [];
  let indent = -1;
  let line = reader.lines[reader.line];
  for (; line !== undefined && line.indent > above; line = reader.lines[++reader.line]) {
    if (indent === -1) ({ indent } = line);
    // Between its lines, an empty one is a paragraph, and what looks like a comment is text.
    if (line.indent !== indent || line.gap) throw new Beyond();
    parts.push(line.text);
  }
  if (parts.length === 0 || (line !== undefined && line.note > above)) throw new Beyond();
  return parts.join(' ');
}

function value(reader: Reader, text: string, indent: number, least: number): unknown {
  if (text === '>-') return folded(reader, indent);
  if (text !== '' && !text.startsWith('#')) return inline(text);
  const next = reader.lines[reader.line];
  if (next === undefined || next.indent < least) throw new Beyond();
  // A list may begin below the first letter of its key.
  if (next.indent === indent && !isItem(next)) throw new Beyond();
  return block(reader, next.indent);
}

function mapping(reader: Reader, indent: number): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (let line = reader.lines[reader.line]; line?.indent === indent; line = reader.lines[reader.line]) {
    const [, name, text] = key.exec(line.text) ?? [];
    if (name === undefined || words.test(name) || numeric.test(name)) throw new Beyond();
    reader.line++;
    put(map, name, value(reader, (text ?? '').trimEnd(), indent, indent));
  }
  return map;
}

function list(reader: Reader, indent: number): unknown[] {
  const found: unknown[] = [];
  for (let line = reader.lines[reader.line]; line?.indent === indent; line = reader.lines[reader.line]) {
    if (!isItem(line)) break;
    const rest = line.text.slice(2).trimStart();
    const within = indent + line.text.length - rest.length;
    if (key.test(rest)) {
      reader.lines[reader.line] = { ...line, indent: within, text: rest };
      found.push(mapping(reader, within));
    } else {
      reader.line++;
      found.push(value(reader, rest.trimEnd(), indent, indent + 1));
    }
  }
  return found;
}

function isItem({ text }: Line): boolean {
  return text.startsWith('- ');
}

function block(reader: Reader, indent: number): unknown {
  const first = reader.lines[reader.line];
  return first !== undefined && isItem(first) ? list(reader, indent) : mapping(reader, indent);
}

/** The lines with content, and one at the end that belongs to nothing. */
function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let gap = false;
  let note = -1;
  for (const line of text.split('\n')) {
    const content = line.trimStart();
    const indent = line.length - content.length;
    if (content === '' || content.startsWith('#')) {
      gap = true;
      if (line !== '') note = Math.max(note, indent);
      continue;
    }
    if (indent > MAX_INDENT) throw new Beyond();
    lines.push({ indent, text: content, gap, note });
    gap = false;
    note = -1;
  }
  return [...lines, { indent: -1, text: '', gap, note }];
}

/** The value of a file, or undefined if it is outside the subset. */
export function parsePlain(text: string): unknown {
  // White space that JavaScript trims and YAML does not.
  if (/[^\S\n ]|\u0085/.test(text)) return undefined;
  try {
    const reader = { lines: linesOf(text), line: 0 };
    if (reader.lines[0]?.indent !== 0) return undefined;
    const found = block(reader, 0);
    return reader.line === reader.lines.length - 1 ? found : undefined;
  } catch (error) {
    if (error instanceof Beyond) return undefined;
    throw error;
  }
}
