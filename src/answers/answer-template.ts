/**
 * Caches repeated answers as templates with placeholders (holes) for the id, the time and the signed context. Building
 * a denial from scratch costs twenty times as much as filling in a template.
 */
import type { Answer, Denial, Whole } from '../flow.ts';
import type { ContextPayload } from './context.ts';
import type { About, AnswerSettings } from './settings.ts';
import { httpDate, isoTime } from './text.ts';

/** Makes an answer. Two calls for one key may differ only in id, context, and the time within a minute. */
export type Make = (about: About, settings: AnswerSettings) => Answer;

export interface AnswerTemplates {
  /**
   * Returns what `make` would, usually without calling it. `key` must identify everything that the answer depends on
   * besides the denial, the target and the minute.
   */
  readonly answer: (key: string, denial: Denial, about: About, make: Make) => Answer;
}

/** Serializes head and body as the writer does for HTTP/1.1 with `Connection: close`; the body comes last. */
export type Serialize = (answer: Answer) => Buffer;

/** Text with holes: `holes[i]` is the index of the filling between `texts[i]` and `texts[i + 1]`. */
interface Holed {
  readonly texts: readonly string[];
  readonly holes: readonly number[];
}

interface Hole {
  /** Byte offset. */
  readonly at: number;
  readonly filling: number;
}

interface Template {
  readonly denial: Denial;
  readonly minute: number;
  readonly name: string;
  readonly status: number;
  readonly reason: string;
  /** All fields in order; those with holes are empty here. */
  readonly headers: Readonly<Record<string, string>>;
  readonly changing: readonly (readonly [name: string, value: Holed])[];
  /** The serialized answer with its holes empty. */
  readonly blank: Buffer;
  readonly holes: readonly Hole[];
  /** The length of each filling. It is fixed: the holes have fixed offsets, and the head contains the body's length. */
  readonly lengths: readonly number[];
  readonly bodyAt: number;
  /** Buffers already sent: refilling their holes is cheaper than copying `blank`, and creates no garbage. */
  readonly spare: Buffer[];
  /** The payload of the signed context; null: the answer has none. */
  readonly payload: ContextPayload | null;
}

/** The values for the holes: id, signed context, ISO time, HTTP date. */
type Fillings = readonly [id: string, token: string, time: string, date: string];

const MINUTE = 60_000;
/** Spare buffers per template: as many as are in flight at once under load. */
const SPARE = 3;
/** Characters. A key contains client input; a longer one is unlikely to recur. */
const MAX_KEY = 400;

/** Whether `one` has all fields of `other`, with the same values. */
function includes(one: Denial, other: Denial): boolean {
  for (const field of Object.keys(other) as (keyof Denial)[]) if (one[field] !== other[field]) return false;
  return true;
}

function sameDenial(one: Denial, other: Denial): boolean {
  // Both ways, since an optional field may be in only one of them.
  return one === other || (includes(one, other) && includes(other, one));
}

function holed(text: string, fillings: Fillings): Holed {
  // The dot is the only special character of regular expressions in them.
  const pieces = text.split(new RegExp(`(${fillings.map((filling) => filling.replaceAll('.', '\\.')).join('|')})`));
  const texts = pieces.filter((_, i) => i % 2 === 0);
  const holes = pieces.filter((_, i) => i % 2 === 1).map((piece) => fillings.indexOf(piece));
  return { texts, holes };
}

function filled({ texts, holes }: Holed, fillings: Fillings): string {
  let text = texts[0] ?? '';
  for (let i = 0; i < holes.length; i += 1) text += (fillings[holes[i] ?? 0] ?? '') + (texts[i + 1] ?? '');
  return text;
}

/** A copy outside Node's buffer pool, which a long-lived slice would keep alive. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

function filledBytes({ blank, holes, spare }: Template, fillings: Fillings): Buffer {
  const bytes = spare.pop() ?? copyOf(blank);
  for (const { at, filling } of holes) bytes.write(fillings[filling] ?? '', at, 'latin1');
  return bytes;
}

/** Splits bytes into the holes and the rest. */
function blanked(bytes: Buffer, fillings: Fillings): Pick<Template, 'blank' | 'holes'> {
  const { texts, holes } = holed(bytes.toString('latin1'), fillings);
  const blank = Buffer.alloc(bytes.length);
  const found: Hole[] = [];
  let at = 0;
  texts.forEach((text, i) => {
    at += blank.write(text, at, 'latin1');
    const filling = holes[i];
    if (filling === undefined) return;
    found.push({ at, filling });
    at += fillings[filling]?.length ?? 0;
  });
  return { blank, holes: found };
}

/** Digits, enough to make a collision practically impossible. */
const RANDOM_DIGITS = 24;

/** Random hexadecimal digits, which no other part of an answer contains by chance. */
function randomHex(digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('');
}

/** Makes a template from an answer with a random id, context and time, whose occurrences become the holes. */
function makeTemplate(
  denial: Denial,
  about: About,
  settings: AnswerSettings,
  make: Make,
  serialize: Serialize,
): Template {
  const at = about.at - (about.at % MINUTE) + Math.floor(Math.random() * MINUTE);
  const id = randomHex(about.id.length || RANDOM_DIGITS);
  let token = randomHex(RANDOM_DIGITS);
  let payload: ContextPayload | null = null;
  const sign = (signed: ContextPayload): string => {
    if (payload === null) token = randomHex(settings.sign(signed, at).length || RANDOM_DIGITS);
    payload = signed;
    return token;
  };
  const answer = make({ ...about, id, at }, { ...settings, sign });
  const fillings = [id, token, isoTime(at), httpDate(at)] as const;
  const fields = Object.entries(answer.headers).map(([name, value]) => [name, holed(value, fillings)] as const);
  const bytes = serialize(answer);
  return {
    denial,
    minute: Math.floor(at / MINUTE),
    name: answer.name,
    status: answer.status,
    reason: answer.reason,
    headers: Object.fromEntries(
      fields.map(([name, { texts: pieces }]) => [name, pieces.length > 1 ? '' : (pieces[0] ?? '')]),
    ),
    changing: fields.filter(([, { holes }]) => holes.length > 0),
    ...blanked(bytes, fillings),
    lengths: fillings.map(({ length }) => length),
    bodyAt: bytes.length - answer.body.length,
    spare: [],
    payload,
  };
}

/** Computes `headers` only on demand: most answers are sent as `whole`. */
class Filled implements Answer {
  readonly name: string;
  readonly status: number;
  readonly reason: string;
  readonly body: Buffer;
  readonly whole: Whole;
  private readonly template: Template;
  private readonly fillings: Fillings;

  constructor(template: Template, fillings: Fillings) {
    const { spare } = template;
    const bytes = filledBytes(template, fillings);
    this.name = template.name;
    this.status = template.status;
    this.reason = template.reason;
    this.body = bytes.subarray(template.bodyAt);
    this.whole = { bytes, giveBack: () => spare.length < SPARE && spare.push(bytes) };
    this.template = template;
    this.fillings = fillings;
  }

  get headers(): Readonly<Record<string, string>> {
    // Copying all fields at once is cheap; adding them one by one would cost as much as the rest of the answer.
    const fields: Record<string, string> = { ...this.template.headers };
    for (const [field, value] of this.template.changing) fields[field] = filled(value, this.fillings);
    return fields;
  }
}

/** Null if a value does not have the length of its hole. */
function fill(template: Template, { id, at }: About, settings: AnswerSettings): Answer | null {
  const { holes, lengths, payload } = template;
  const token = payload === null ? '' : settings.sign({ vendor: payload.vendor, id }, at);
  const fillings = [id, token, isoTime(at), httpDate(at)] as const;
  for (const { filling } of holes) if (fillings[filling]?.length !== lengths[filling]) return null;
  return new Filled(template, fillings);
}

/** Templates made with different random values must be equal; they differ if a text was cut within such a value. */
function isSound(one: Template, other: Template): boolean {
  const rest = ({ headers, changing, holes }: Template): string => JSON.stringify([headers, changing, holes]);
  return rest(one) === rest(other) && one.blank.equals(other.blank);
}

/** @param limit maximum number of templates; one of a page takes about 10 KiB, and each of its spares as much again. */
export function createAnswerTemplates(settings: AnswerSettings, serialize: Serialize, limit = 500): AnswerTemplates {
  /** `once`: requested once so far; `never`: cannot be cached. */
  const kept = new Map<string, Template | 'once' | 'never'>();

  const keep = (key: string, template: Template | 'once' | 'never'): void => {
    if (kept.size >= limit) kept.clear();
    kept.set(key, template);
  };

  const addTemplate = (key: string, denial: Denial, about: About, make: Make): void => {
    const template = makeTemplate(denial, about, settings, make, serialize);
    keep(key, isSound(template, makeTemplate(denial, about, settings, make, serialize)) ? template : 'never');
  };

  return {
    answer(key, denial, about, make) {
      const { host, port } = about.target;
      const whole = `${denial.rule} ${host} ${port} ${key}`;
      if (whole.length > MAX_KEY) return make(about, settings);
      const template = kept.get(whole);
      if (typeof template !== 'object') {
        if (template === undefined) keep(whole, 'once');
        else if (template === 'once') addTemplate(whole, denial, about, make);
        return make(about, settings);
      }
      if (template.minute !== Math.floor(about.at / MINUTE) || !sameDenial(template.denial, denial)) {
        kept.delete(whole);
        return make(about, settings);
      }
      return fill(template, about, settings) ?? make(about, settings);
    },
  };
}
