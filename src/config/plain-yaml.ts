/**
 * Reads the subset of YAML in which vendor files are written, at a fiftieth of the cost: block mappings and lists, flow
 * collections on one line, plain and quoted text without escapes, `>-`. Hundreds of these files are read at each start.
 * Anything else, and errors, is left to the full parser, which knows line numbers.
 */

/** Thrown for anything outside the subset. */
class Beyond extends Error {}

interface Line {
  readonly indent: number;
  readonly text: string;
}

const key = /^([A-Za-z0-9_][A-Za-z0-9_./@-]*|'[^']*'):(?: +(.*))?$/;
const words = /^(?:null|true|false|~)$/i;
/** Numbers of the core schema in all spellings. */
const numeric = /^[-+]?(?:0[xo][0-9a-f]+|[0-9][0-9.]*(?:e[-+]?[0-9]+)?)$/i;

function plain(text: string, reserved: RegExp): string | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === '' || reserved.test(text) || words.test(text) || numeric.test(text)) throw new Beyond();
  return text;
}

/** In a block: no leading indicator, no mapping and no comment inside. */
const inBlock = /^[-?:,[\]{}#&*!|>'"%@`.+]|: |:$| #|\s$/;
const inFlow = /^[-?:,[\]{}#&*!|>'"%@`.+]|[,[\]{}]|: |:$| #|\s$/;

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

function flowItem(text: string): string | boolean {
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
  if (text.startsWith('[') && text.endsWith(']')) {
    const inside = text.slice(1, -1).trim();
    return inside === '' ? [] : items(inside).map(flowItem);
  }
  if (text.startsWith('{') && text.endsWith('}')) return flowMap(text.slice(1, -1).trim());
  return isQuoted(text) ? quoted(text) : plain(text, inBlock);
}

/** Reads from `at.line` on; each reader stops at the first line that is not its own. */
interface Reader {
  readonly lines: Line[];
  line: number;
}

function folded(reader: Reader, above: number): string {
  const parts: string[] = [];
  let indent = -1;
  for (let line = reader.lines[reader.line]; line !== undefined && line.indent > above;) {
    if (indent === -1) ({ indent } = line);
    if (line.indent !== indent || line.text.startsWith('#')) throw new Beyond();
    parts.push(line.text);
    line = reader.lines[++reader.line];
  }
  if (parts.length === 0) throw new Beyond();
  return parts.join(' ');
}

function value(reader: Reader, text: string | undefined, indent: number): unknown {
  if (text === '>-') return folded(reader, indent);
  if (text !== undefined && text !== '') return inline(text);
  const next = reader.lines[reader.line];
  if (next === undefined || next.indent <= indent) throw new Beyond();
  return block(reader, next.indent);
}

function mapping(reader: Reader, indent: number): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (let line = reader.lines[reader.line]; line?.indent === indent; line = reader.lines[reader.line]) {
    const [, name, text] = key.exec(line.text) ?? [];
    if (name === undefined || words.test(name) || numeric.test(name)) throw new Beyond();
    reader.line++;
    put(map, name, value(reader, text, indent));
  }
  return map;
}

function list(reader: Reader, indent: number): unknown[] {
  const found: unknown[] = [];
  for (let line = reader.lines[reader.line]; line?.indent === indent; line = reader.lines[reader.line]) {
    if (!line.text.startsWith('- ')) throw new Beyond();
    const rest = line.text.slice(2).trimStart();
    const within = indent + line.text.length - rest.length;
    if (key.test(rest)) {
      reader.lines[reader.line] = { indent: within, text: rest };
      found.push(mapping(reader, within));
    } else {
      reader.line++;
      found.push(value(reader, rest, indent));
    }
  }
  return found;
}

function block(reader: Reader, indent: number): unknown {
  return reader.lines[reader.line]?.text.startsWith('- ') === true ? list(reader, indent) : mapping(reader, indent);
}

/** The value of a file, or undefined if it is outside the subset. */
export function parsePlain(text: string): unknown {
  if (/[\t\r\v\f\u0085\u2028\u2029\ufeff]/.test(text)) return undefined;
  const lines: Line[] = [];
  for (const line of text.split('\n')) {
    const content = line.trimStart();
    if (content === '' || content.startsWith('#')) continue;
    lines.push({ indent: line.length - content.length, text: content });
  }
  const reader = { lines, line: 0 };
  try {
    if (lines[0]?.indent !== 0) return undefined;
    const found = block(reader, 0);
    return reader.line === lines.length ? found : undefined;
  } catch (error) {
    if (error instanceof Beyond) return undefined;
    throw error;
  }
}
