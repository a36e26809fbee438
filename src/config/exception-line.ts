/**
 * A line of the file of exceptions: an exception or a pause as JSON, with the keys of the policy, and with who made it
 * when, and who ended it early.
 */
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import type { Exception, Pause } from '../flow.ts';
import { parseMoment } from './moment.ts';
import { parseCidr } from './network.ts';
import { toWhat } from './policy-document.ts';
import { namesNothing, namesSomething, what } from './policy-schema.ts';
import { id, line, oneOrMany, read, shape, strict } from './scalars.ts';

/** With an offset, so that the file can be read without knowing a time zone. */
const instant = read((text) => {
  const moment = parseMoment(text);
  if (moment.kind === 'instant') return moment.at;
  throw new ConfigError(`"${text}" has no time of day; write one such as ${text}T08:00:00Z`);
});

const user = line.max(200);

/** Who made it when, and who ended it early. */
const trail = {
  created_at: instant,
  created_by: line,
  revoked_at: instant.optional(),
  revoked_by: line.optional(),
};

const exceptionLine = strict({
  id,
  ...what,
  groups: oneOrMany(id).optional(),
  sites: oneOrMany(id).optional(),
  users: oneOrMany(user).optional(),
  networks: oneOrMany(read(parseCidr)).optional(),
  from: instant.optional(),
  until: instant,
  approved_by: line,
  ticket: line.optional(),
  reason: line,
  ...trail,
}).refine(namesSomething, namesNothing);

/** `*`: every vendor of the catalogue. */
const paused = z.union([z.literal('*'), id]);

const pauseLine = strict({ id, pause: paused, from: instant, until: instant, reason: line, ...trail });

export type ExceptionLine = z.output<typeof exceptionLine>;
export type PauseLine = z.output<typeof pauseLine>;
export type StoredLine = ExceptionLine | PauseLine;

/** A line before validation: times are text. */
export type GivenLine = z.input<typeof exceptionLine> | z.input<typeof pauseLine>;

export function isPause(stored: StoredLine): stored is PauseLine {
  return 'pause' in stored;
}

/** Validates a line. @throws {ConfigError} with the first problem. */
export function checkLine(value: unknown): StoredLine {
  const pauses = typeof value === 'object' && value !== null && 'pause' in value;
  const result = pauses ? shape(pauseLine, value) : shape(exceptionLine, value);
  if (!result.ok) throw new ConfigError(result.findings[0]?.message ?? 'it is not valid');
  const stored = result.value;
  if (stored.from !== undefined && stored.from >= stored.until) {
    throw new ConfigError('"until" is not after "from"; swap or correct them');
  }
  return stored;
}

/** @param at epoch milliseconds. */
export function shownMoment(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

function iso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : shownMoment(at);
}

/** An entry as in JSON: times are text. */
export type Shown = Readonly<Record<string, string | readonly string[] | undefined>>;

export function shownLine(stored: StoredLine): Shown {
  const { from, until, created_at: created, revoked_at: revoked, ...rest } = stored;
  const { created_by: by, revoked_by: revoker, ...facts } = rest;
  return {
    ...facts,
    from: iso(from),
    until: iso(until),
    created_at: iso(created),
    created_by: by,
    revoked_at: iso(revoked),
    revoked_by: revoker,
  };
}

export function writeLine(stored: StoredLine): string {
  return JSON.stringify(shownLine(stored));
}

/** When it ends or ended, epoch milliseconds. */
export function endOf({ until, revoked_at: revoked = Infinity }: StoredLine): number {
  return Math.min(until, revoked);
}

/** Single users and networks become groups of their own; no policy can have these ids, because of the colon. */
function whom({ groups, users, networks }: ExceptionLine): readonly string[] | undefined {
  if ((groups ?? users ?? networks) === undefined) return undefined;
  return [
    ...(groups ?? []),
    ...(users ?? []).map((name) => `user:${name}`),
    ...(networks ?? []).map((network) => `network:${network}`),
  ];
}

export function toException(stored: ExceptionLine): Exception {
  return {
    id: stored.id,
    what: toWhat(stored),
    groups: whom(stored),
    sites: stored.sites,
    from: stored.from ?? stored.created_at,
    until: endOf(stored),
    approvedBy: stored.approved_by,
    ticket: stored.ticket,
    reason: stored.reason,
  };
}

export function toPause(stored: PauseLine): Pause {
  const { id, pause, from, reason } = stored;
  return { id, vendor: pause === '*' ? null : pause, from, until: endOf(stored), reason };
}
