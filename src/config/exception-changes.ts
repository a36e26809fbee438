/** Changes to the file of exceptions, as functions of its contents. Pure. */
import { ConfigError } from '../errors.ts';
import { checkLine, endOf, isPause, shownLine, shownMoment, toException } from './exception-line.ts';
import type { ExceptionLine, PauseLine, Shown, StoredLine } from './exception-line.ts';
import type { Contents } from './exceptions-file.ts';
import { parseMoment, resolveMoment } from './moment.ts';
import { nearest } from './nearest.ts';
import { checkEntry, unknownVendor } from './references.ts';
import type { Names } from './references.ts';
import { sameExceptions } from './same-exceptions.ts';

/**
 * A rejected change. `invalid`: it is malformed; `unknown`: it refers to nothing that exists; `taken`: the id or the
 * exception exists; `unwritable`: the file cannot be written.
 */
export class Refused extends ConfigError {
  readonly why: 'invalid' | 'unknown' | 'taken' | 'unwritable';

  constructor(why: Refused['why'], message: string) {
    super(message);
    this.why = why;
  }
}

/** What a change is validated against. */
export interface Terms {
  readonly names: Names;
  /** Ids in the policy file, which are not available. */
  readonly taken: ReadonlySet<string>;
  /** For days without a time. */
  readonly timeZone: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** What ending an exception or pause is validated against; `names` null: the policy cannot be read. */
export type EndingTerms = Pick<Terms, 'taken' | 'now'> & { readonly names: Names | null };

/** Lines to append, and lines to replace. */
export interface Change<T extends StoredLine = StoredLine> {
  readonly append: readonly T[];
  readonly replace: ReadonlyMap<number, T>;
}

/** A requested exception: the keys of the file, where the end may be a duration. */
export interface WantedException {
  readonly id?: string | undefined;
  readonly vendors?: readonly string[] | undefined;
  readonly products?: readonly string[] | undefined;
  readonly channels?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly risks?: readonly string[] | undefined;
  readonly domains?: readonly string[] | undefined;
  /** External lists of the policy. */
  readonly lists?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly sites?: readonly string[] | undefined;
  readonly users?: readonly string[] | undefined;
  readonly networks?: readonly string[] | undefined;
  readonly from?: string | undefined;
  readonly until: string;
  readonly approved_by: string;
  readonly ticket?: string | undefined;
  readonly reason: string;
  /** Ends exceptions for the same, and replaces them. */
  readonly replace?: boolean | undefined;
}

const lengths = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Milliseconds of `30m`, `2h`, `30d` or `4w`; null for anything else. */
export function parseLength(text: string): number | null {
  const [, amount, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined || Number(amount) === 0) return null;
  return Number(amount) * lengths[unit as keyof typeof lengths];
}

/** Runs a step, and turns its error into a refusal. */
function valid<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new Refused('invalid', error.message);
  }
}

function momentOf(text: string, { timeZone, now }: Terms): string {
  const length = parseLength(text);
  if (/^\d+$/.test(text)) {
    throw new ConfigError(`"${text}" has no unit; write ${text}d for days, ${text}h for hours, or a date`);
  }
  if (length === null && /^\d+\s*[a-z]+$/i.test(text)) {
    throw new ConfigError(`"${text}" is not a length of time; write a number with m, h, d or w, such as 30d`);
  }
  return new Date(length === null ? resolveMoment(parseMoment(text), timeZone) : now + length).toISOString();
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 24);
}

/** `anthropic-for-research`, with a number appended if that is taken. */
function freeId(base: string, isTaken: (id: string) => boolean): string {
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!isTaken(id)) return id;
  }
}

function readableId(wanted: WantedException): string {
  const { vendors, products, channels, tags, risks, domains, lists, groups, sites, users, networks } = wanted;
  const what = slug((domains ?? lists ?? products ?? vendors ?? tags ?? risks ?? channels ?? [])[0] ?? '');
  const whom = slug((users ?? networks ?? groups ?? sites ?? [])[0] ?? '');
  return [what === '' ? 'exception' : what, ...(whom === '' ? [] : ['for', whom])].join('-');
}

function isTakenIn({ lines }: Contents, { taken }: Terms): (id: string) => boolean {
  const ids = new Set(Array.from(lines.values(), ({ id }) => id));
  return (id) => taken.has(id) || ids.has(id);
}

/** @throws {Refused} */
export function add(contents: Contents, wanted: WantedException, by: string, terms: Terms): Change<ExceptionLine> {
  const isTaken = isTakenIn(contents, terms);
  const { id = freeId(readableId(wanted), isTaken), from, until, replace = false, ...facts } = wanted;
  const stored = valid(() =>
    checkLine({
      id,
      ...Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
      ...(from !== undefined && { from: momentOf(from, terms) }),
      until: momentOf(until, terms),
      created_at: new Date(terms.now).toISOString(),
      created_by: by,
    }),
  );
  if (isPause(stored)) throw new Refused('invalid', 'an exception has no "pause"; remove it');
  if (isTaken(id)) throw new Refused('taken', `there already is an exception "${id}"; choose another id, or none`);
  if (stored.until <= terms.now) {
    throw new Refused('invalid', `"until" is ${shownMoment(stored.until)}, which is in the past; write a later time`);
  }
  const { groups } = stored;
  const [finding] = checkEntry({ ...toException(stored), groups }, [], terms.names);
  if (finding !== undefined) throw new Refused('invalid', finding.message);
  const same = sameExceptions(contents.lines, stored, terms.now);
  const [first] = same;
  if (first !== undefined && !replace && wanted.id === undefined) {
    const [, { id: other, until: end }] = first;
    throw new Refused(
      'taken',
      `"${other}" is for the same, until ${shownMoment(end)}; write "replace" (--replace) to end it and put this one in its place, or an "id" to keep both`,
    );
  }
  return { append: [stored], replace: replace ? ended(same, by, terms.now) : new Map() };
}

function inForce(stored: StoredLine, now: number): boolean {
  return endOf(stored) > now;
}

function revoked<T extends StoredLine>(stored: T, by: string, now: number): T {
  // The file has whole seconds.
  return { ...stored, revoked_at: now - (now % 1000), revoked_by: by };
}

/** @throws {Refused} if there is nothing with that id to end. */
export function revoke(contents: Contents, id: string, by: string, { now, taken }: EndingTerms): Change {
  const found = [...contents.lines].find(([, stored]) => stored.id === id);
  if (found === undefined) {
    if (taken.has(id)) {
      throw new Refused('unknown', `the exception "${id}" is in the policy file; remove it there`);
    }
    const near = nearest(
      id,
      Array.from(contents.lines.values(), (stored) => stored.id),
    );
    throw new Refused('unknown', `there is no exception "${id}"${near === null ? '' : `; did you mean "${near}"?`}`);
  }
  const [index, stored] = found;
  if (!inForce(stored, now)) {
    throw new Refused('unknown', `the exception "${id}" ended at ${shownMoment(endOf(stored))}`);
  }
  return { append: [], replace: new Map([[index, revoked(stored, by, now)]]) };
}

export interface WantedPause {
  /** Null: every vendor of the catalogue. */
  readonly vendor: string | null;
  /** Milliseconds. */
  readonly length: number;
  readonly reason?: string | undefined;
}

/** An hour helps in an emergency; a month is an exception that somebody has to approve. */
const LONGEST_PAUSE = 7 * lengths.d;

function pausesOf({ lines }: Contents, vendor: string | null, now: number): [number, PauseLine][] {
  return [...lines].flatMap(([index, stored]): [number, PauseLine][] =>
    isPause(stored) && stored.pause === (vendor ?? '*') && inForce(stored, now) ? [[index, stored]] : [],
  );
}

function ended<T extends StoredLine>(lines: readonly [number, T][], by: string, now: number): Map<number, T> {
  return new Map(lines.map(([index, stored]) => [index, revoked(stored, by, now)]));
}

/** The new pause replaces one that is in force. @throws {Refused} */
export function pause(contents: Contents, wanted: WantedPause, by: string, terms: Terms): Change<PauseLine> {
  const { vendor, length, reason = `Paused by ${by}.` } = wanted;
  const { now, names } = terms;
  const wrong = vendor === null ? null : unknownVendor(vendor, names);
  if (wrong !== null) throw new Refused('invalid', wrong);
  if (length < 1 || length > LONGEST_PAUSE) {
    throw new Refused('invalid', 'a pause lasts at most 7d; to allow longer, add an exception');
  }
  const stored = valid(() =>
    checkLine({
      id: freeId(`pause-${slug(vendor ?? 'all')}`, isTakenIn(contents, terms)),
      pause: vendor ?? '*',
      from: new Date(now).toISOString(),
      until: new Date(now + length).toISOString(),
      reason,
      created_at: new Date(now).toISOString(),
      created_by: by,
    }),
  );
  if (!isPause(stored)) throw new Refused('invalid', 'this is not a pause');
  return { append: [stored], replace: ended(pausesOf(contents, vendor, now), by, now) };
}

/** Ends the pause of a vendor, or with null all pauses. @throws {Refused} if there is none. */
export function resume(
  contents: Contents,
  vendor: string | null,
  by: string,
  { now, names }: EndingTerms,
): Change<PauseLine> {
  const all = [...contents.lines.values()].filter((stored) => isPause(stored) && inForce(stored, now));
  const vendors = new Set(all.map((stored) => (isPause(stored) ? stored.pause : '')));
  const targets = vendor === null ? [...vendors].map((one) => (one === '*' ? null : one)) : [vendor];
  const found = targets.flatMap((one) => pausesOf(contents, one, now));
  if (found.length > 0) return { append: [], replace: ended(found, by, now) };
  if (vendor === null) throw new Refused('unknown', 'nothing is paused');
  const wrong = names === null ? null : unknownVendor(vendor, names);
  if (wrong !== null) throw new Refused('invalid', wrong);
  throw new Refused(
    'unknown',
    vendors.has('*') ? `${vendor} is paused with all other vendors; resume --all ends that` : `${vendor} is not paused`,
  );
}

/** An entry as shown to people and programs. */
export function shownEntry(stored: StoredLine, now: number): Shown {
  const state =
    stored.revoked_at !== undefined
      ? 'revoked'
      : stored.until <= now
        ? 'ended'
        : stored.from !== undefined && stored.from > now
          ? 'scheduled'
          : 'active';
  return { ...shownLine(stored), state };
}
