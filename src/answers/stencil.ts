/**
 * Answers that are given again and again, kept with holes where id, time and signed context go. To word and lay out a
 * denial costs twenty times as much as to fill the holes of one that was made before.
 */
import type { Answer, Denial } from '../flow.ts';
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

/** Text, and between each two pieces of it the hole of that number. */
interface Holed {
  readonly texts: readonly string[];
  readonly holes: readonly number[];
}

interface Bytes {
  readonly texts: readonly Buffer[];
  /** Of all texts together. */
  readonly size: number;
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
  readonly body: Holed;
  /** The texts of the body as they are sent: of a page they are nearly all of it. */
  readonly bytes: Bytes;
  /** Whom the context is about; null: there is none in the answer. */
  readonly payload: ContextPayload | null;
}

/** What stands in the holes: id, signed context, ISO time, HTTP date. */
type Fillings = readonly [id: string, token: string, time: string, date: string];
const TIME = 2;

const MINUTE = 60_000;
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

function filledBytes({ texts, size }: Bytes, holes: readonly number[], fillings: Fillings): Buffer {
  let length = size;
  for (const hole of holes) length += fillings[hole]?.length ?? 0;
  const whole = Buffer.allocUnsafe(length);
  let at = 0;
  for (let i = 0; i < texts.length; i += 1) {
    at += texts[i]?.copy(whole, at) ?? 0;
    const hole = holes[i];
    if (hole !== undefined) at += whole.write(fillings[hole] ?? '', at, 'latin1');
  }
  return whole;
}

/** Hexadecimal digits that no text has by chance. */
function unlike(digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('');
}

/** The answer with holes, made from one whose id, context and time nobody else has. */
function draw(denial: Denial, about: About, settings: AnswerSettings, make: Make): Stencil {
  const at = about.at - (about.at % MINUTE) + Math.floor(Math.random() * MINUTE);
  const id = unlike(24);
  const token = unlike(60);
  let payload: ContextPayload | null = null;
  const sign = (signed: ContextPayload): string => {
    payload = signed;
    return token;
  };
  const answer = make({ ...about, id, at }, { ...settings, sign });
  const fillings = [id, token, isoTime(at), httpDate(at)] as const;
  const body = holed(answer.body.toString(), fillings);
  const texts = body.texts.map((text) => Buffer.from(text));
  const fields = Object.entries(answer.headers).map(([name, value]) => [name, holed(value, fillings)] as const);
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
    body,
    bytes: { texts, size: texts.reduce((size, text) => size + text.length, 0) },
    payload,
  };
}

function fill(
  { name, status, reason, headers, changing, body, bytes, payload }: Stencil,
  about: About,
  settings: AnswerSettings,
): Answer {
  const { id, at } = about;
  const token = payload === null ? '' : settings.sign({ vendor: payload.vendor, id }, at);
  const time = body.holes.includes(TIME) ? isoTime(at) : '';
  const fillings = [id, token, time, httpDate(at)] as const;
  // A copy of all is one step; fields that are added one by one cost as much as the rest of the answer.
  const fields: Record<string, string> = { ...headers };
  for (const [field, value] of changing) fields[field] = filled(value, fillings);
  return { name, status, reason, headers: fields, body: filledBytes(bytes, body.holes, fillings) };
}

/** Two that were made for different ids are the same, except where a text was cut in the middle of one. */
function isSound(one: Stencil, other: Stencil): boolean {
  return (
    JSON.stringify([one.headers, one.changing, one.body]) ===
    JSON.stringify([other.headers, other.changing, other.body])
  );
}

/** @param limit stencils at most; a page is some 10 KiB. */
export function createStencils(settings: AnswerSettings, limit = 500): Stencils {
  /** `once`: was asked for and may be again; `never`: cannot be kept. */
  const kept = new Map<string, Stencil | 'once' | 'never'>();

  const keep = (key: string, stencil: Stencil | 'once' | 'never'): void => {
    if (kept.size >= limit) kept.clear();
    kept.set(key, stencil);
  };

  const cut = (key: string, denial: Denial, about: About, make: Make): void => {
    const stencil = draw(denial, about, settings, make);
    keep(key, isSound(stencil, draw(denial, about, settings, make)) ? stencil : 'never');
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
      return fill(stencil, about, settings);
    },
  };
}
