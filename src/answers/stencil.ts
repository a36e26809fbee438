/**
 * Answers that are given again and again, kept with holes where id, time and signed context go. To word and lay out a
 * denial costs twenty times as much as to fill the holes of one that was made before.
 */
import type { Answer, Denial, Whole } from '../flow.ts';
import type { ContextPayload } from './context.ts';
import type { About, AnswerSettings } from './settings.ts';
import { httpDate, isoTime } from './text.ts';

/** Makes an answer. What differs between two calls for one key: id, context, and the time below a minute. */
export type Make = (about: About, settings: AnswerSettings) => Answer;

export interface Stencils {
  /**
   * What `make` would give, often without asking it. `key` says everything that its answer depends on, besides the
   * denial, the target and the minute.
   */
  readonly cast: (key: string, denial: Denial, about: About, make: Make) => Answer;
}

/** How the writer has head and body where a connection of HTTP/1.1 ends with them: the body is the end of it. */
export type LayOut = (answer: Answer) => Buffer;

/** Text, and between each two pieces of it the hole of that number. */
interface Holed {
  readonly texts: readonly string[];
  readonly holes: readonly number[];
}

interface Hole {
  /** Bytes from the start. */
  readonly at: number;
  readonly filling: number;
}

interface Stencil {
  readonly denial: Denial;
  readonly minute: number;
  readonly name: string;
  readonly status: number;
  readonly reason: string;
  /** All fields in their order; those that have holes are empty here. */
  readonly headers: Readonly<Record<string, string>>;
  readonly changing: readonly (readonly [name: string, value: Holed])[];
  /** All that is laid out, with nothing in its holes. */
  readonly blank: Buffer;
  readonly holes: readonly Hole[];
  /** Of each filling: its bytes have their places, and the length of the body stands in the head. */
  readonly lengths: readonly number[];
  readonly bodyAt: number;
  /** Filled before and sent: to fill its holes anew costs less than a copy, and leaves nothing to collect. */
  readonly spare: Buffer[];
  /** Whom the context is about; null: there is none in the answer. */
  readonly payload: ContextPayload | null;
}

/** What stands in the holes: id, signed context, ISO time, HTTP date. */
type Fillings = readonly [id: string, token: string, time: string, date: string];

const MINUTE = 60_000;
/** Kept of what was sent, for each stencil: as many as are on their way at once under load. */
const SPARE = 3;
/** A key holds what a client said; a longer one is hardly asked for twice. */
const MAX_KEY = 400;

function sameDenial(one: Denial, other: Denial): boolean {
  if (one === other) return true;
  for (const field of Object.keys(other) as (keyof Denial)[]) if (one[field] !== other[field]) return false;
  return true;
}

function holed(text: string, fillings: Fillings): Holed {
  // Of what has a meaning to a regular expression they have only the dot.
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

/** In memory of its own: one that is kept must not keep a pool with it. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

function filledBytes({ blank, holes, spare }: Stencil, fillings: Fillings): Buffer {
  const bytes = spare.pop() ?? copyOf(blank);
  for (const { at, filling } of holes) bytes.write(fillings[filling] ?? '', at, 'latin1');
  return bytes;
}

/** The holes of bytes, and the rest of them. */
function blanked(bytes: Buffer, fillings: Fillings): Pick<Stencil, 'blank' | 'holes'> {
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

/** Enough digits for any two to differ. */
const SOME = 24;

/** Hexadecimal digits that no text has by chance. */
function unlike(digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('');
}

/** The answer with holes, made from one whose id, context and time nobody else has. */
function draw(denial: Denial, about: About, settings: AnswerSettings, make: Make, layOut: LayOut): Stencil {
  const at = about.at - (about.at % MINUTE) + Math.floor(Math.random() * MINUTE);
  const id = unlike(about.id.length || SOME);
  let token = unlike(SOME);
  let payload: ContextPayload | null = null;
  const sign = (signed: ContextPayload): string => {
    if (payload === null) token = unlike(settings.sign(signed, at).length || SOME);
    payload = signed;
    return token;
  };
  const answer = make({ ...about, id, at }, { ...settings, sign });
  const fillings = [id, token, isoTime(at), httpDate(at)] as const;
  const fields = Object.entries(answer.headers).map(([name, value]) => [name, holed(value, fillings)] as const);
  const bytes = layOut(answer);
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

/** Most go as a whole: nobody asks for the fields one by one. */
class Filled implements Answer {
  readonly name: string;
  readonly status: number;
  readonly reason: string;
  readonly body: Buffer;
  readonly whole: Whole;
  private readonly stencil: Stencil;
  private readonly fillings: Fillings;

  constructor(stencil: Stencil, fillings: Fillings) {
    const { spare } = stencil;
    const bytes = filledBytes(stencil, fillings);
    this.name = stencil.name;
    this.status = stencil.status;
    this.reason = stencil.reason;
    this.body = bytes.subarray(stencil.bodyAt);
    this.whole = { bytes, giveBack: () => spare.length < SPARE && spare.push(bytes) };
    this.stencil = stencil;
    this.fillings = fillings;
  }

  get headers(): Readonly<Record<string, string>> {
    // A copy of all is one step; fields that are added one by one cost as much as the rest of the answer.
    const fields: Record<string, string> = { ...this.stencil.headers };
    for (const [field, value] of this.stencil.changing) fields[field] = filled(value, this.fillings);
    return fields;
  }
}

/** Null where what belongs into a hole is not as long as that. */
function fill(stencil: Stencil, { id, at }: About, settings: AnswerSettings): Answer | null {
  const { holes, lengths, payload } = stencil;
  const token = payload === null ? '' : settings.sign({ vendor: payload.vendor, id }, at);
  const fillings = [id, token, isoTime(at), httpDate(at)] as const;
  for (const { filling } of holes) if (fillings[filling]?.length !== lengths[filling]) return null;
  return new Filled(stencil, fillings);
}

/** Two that were made for different ids are the same, except where a text was cut in the middle of one. */
function isSound(one: Stencil, other: Stencil): boolean {
  const rest = ({ headers, changing, holes }: Stencil): string => JSON.stringify([headers, changing, holes]);
  return rest(one) === rest(other) && one.blank.equals(other.blank);
}

/** @param limit stencils at most; a page is some 10 KiB, and as much for each spare one. */
export function createStencils(settings: AnswerSettings, layOut: LayOut, limit = 500): Stencils {
  /** `once`: was asked for and may be again; `never`: cannot be kept. */
  const kept = new Map<string, Stencil | 'once' | 'never'>();

  const keep = (key: string, stencil: Stencil | 'once' | 'never'): void => {
    if (kept.size >= limit) kept.clear();
    kept.set(key, stencil);
  };

  const cut = (key: string, denial: Denial, about: About, make: Make): void => {
    const stencil = draw(denial, about, settings, make, layOut);
    keep(key, isSound(stencil, draw(denial, about, settings, make, layOut)) ? stencil : 'never');
  };

  return {
    cast(key, denial, about, make) {
      const { host, port } = about.target;
      const whole = `${denial.rule} ${host} ${port} ${key}`;
      if (whole.length > MAX_KEY) return make(about, settings);
      const stencil = kept.get(whole);
      if (typeof stencil !== 'object') {
        if (stencil === undefined) keep(whole, 'once');
        else if (stencil === 'once') cut(whole, denial, about, make);
        return make(about, settings);
      }
      if (stencil.minute !== Math.floor(about.at / MINUTE) || !sameDenial(stencil.denial, denial)) {
        kept.delete(whole);
        return make(about, settings);
      }
      return fill(stencil, about, settings) ?? make(about, settings);
    },
  };
}
