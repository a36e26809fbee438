/** `policy.yaml`: whom, what, when, effect, why. */
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import type { Exception, PolicyDocument, Rule, Schedule, What } from '../flow.ts';
import { parseHost } from '../listen/target.ts';
import { isTimeZone, parseMoment, resolveMoment } from './moment.ts';
import { nearest } from './nearest.ts';
import { parseCidr } from './network.ts';
import { id, line, link, oneOrMany, productRef, read, strict, webUrl } from './scalars.ts';
import { plainText, texts } from './texts.ts';
import { channel } from './vendor-schema.ts';
import { parseWindow } from './windows.ts';
import { zoneOf } from './zone.ts';

const effect = z.enum(['allow', 'deny', 'monitor']);
const manner = z.enum(['intercept', 'refuse', 'reset']);
const openTunnels = z.enum(['keep', 'drain', 'cut']);
const redirect = z.enum(['page', 'immediate']);
const moment = read(parseMoment);

/** `example.com`: the name and everything below it; `=example.com`: only the name. An address has nothing below it. */
const domain = read((text) => {
  if (text.includes('*')) {
    throw new ConfigError(`"${text}" has a wildcard; "example.com" already means the name and everything below it`);
  }
  const only = text.startsWith('=');
  const { host, kind } = parseHost(only ? text.slice(1) : text);
  return only || kind !== 'name' ? `=${host}` : host;
});

/** Days since 1 January 1970. */
function parseHoliday(text: string): number {
  const day = parseMoment(text);
  if (day.kind !== 'day') throw new ConfigError(`"${text}" is not a day; write one such as 2026-12-25`);
  return Date.UTC(day.year, day.month - 1, day.day) / 86_400_000;
}

const timeZone = read((text) => {
  if (isTimeZone(text)) return text;
  const near = nearest(text, Intl.supportedValuesOf('timeZone'));
  const cure = near === null ? 'write an IANA name such as Europe/Berlin' : `did you mean "${near}"?`;
  throw new ConfigError(`"${text}" is not a time zone; ${cure}`);
});

const what = {
  vendors: oneOrMany(id).optional(),
  products: oneOrMany(productRef).optional(),
  channels: oneOrMany(channel).optional(),
  tags: oneOrMany(id).optional(),
  domains: oneOrMany(domain).optional(),
};
const whatKeys = Object.keys(what) as (keyof typeof what)[];

function namesSomething(entry: { readonly [K in keyof typeof what]?: unknown }): boolean {
  return whatKeys.some((key) => entry[key] !== undefined);
}
const namesNothing = `it says nothing about what it is for; add one of ${whatKeys.join(', ')}`;

const whomAndWhen = {
  groups: oneOrMany(id).optional(),
  from: moment.optional(),
  windows: oneOrMany(read(parseWindow)).optional(),
  holidays: z.enum(['except', 'only']).optional(),
  time_zone: timeZone.optional(),
};

const rule = strict({
  id,
  ...what,
  ...whomAndWhen,
  until: moment.optional(),
  effect,
  reason: texts('reason'),
  assistant: id.optional(),
  manner: manner.optional(),
  redirect: redirect.optional(),
  link: link.optional(),
  clear_site_data: z.boolean().optional(),
  let_account_calls_pass: z.boolean().optional(),
  open_tunnels: openTunnels.optional(),
})
  .refine(namesSomething, namesNothing)
  .refine(
    ({ manner, let_account_calls_pass: pass }) => pass !== true || manner === undefined || manner === 'intercept',
    'let_account_calls_pass needs to read the requests; write "manner: intercept", or leave one of the two out',
  );

const exception = strict({
  id,
  ...what,
  ...whomAndWhen,
  until: moment,
  approved_by: line,
  ticket: line.optional(),
  reason: line,
}).refine(namesSomething, namesNothing);

/** A vendor, or one of its products. */
const served = read((text) => {
  if (id.safeParse(text).success || productRef.safeParse(text).success) return text;
  throw new ConfigError(`"${text}" is neither a vendor nor a product; write openai or openai/chatgpt`);
});

const assistant = strict({
  name: line,
  url: webUrl,
  migrations: z.record(served, texts('migrations')).optional(),
});

export const policySchema = strict({
  time_zone: timeZone.default('UTC'),
  holidays: z.array(read(parseHoliday)).default([]),
  assistants: z.record(id, assistant).default({}),
  default_assistant: id.optional(),
  groups: z.record(id, strict({ networks: oneOrMany(read(parseCidr)) })).default({}),
  rules: z.array(rule).default([]),
  exceptions: z.array(exception).default([]),
  defaults: strict({
    unlisted: effect.default('allow'),
    catalogue: effect.default('monitor'),
    unknown_model: effect.optional(),
    manner: manner.default('intercept'),
    redirect: redirect.default('page'),
    raw_address: effect.default('deny'),
    open_tunnels: openTunnels.default('keep'),
  }).prefault({}),
});

export type PolicyFile = z.output<typeof policySchema>;
type RuleEntry = PolicyFile['rules'][number];
type ExceptionEntry = PolicyFile['exceptions'][number];

function toWhat(entry: RuleEntry | ExceptionEntry): What {
  return Object.fromEntries(whatKeys.filter((key) => entry[key] !== undefined).map((key) => [key, entry[key]]));
}

/** The document that `decide/` compiles; days become instants in the time zone of the file. */
export function toPolicy(file: PolicyFile): PolicyDocument {
  const holidays = new Set(file.holidays);
  const zoneName = (entry: RuleEntry | ExceptionEntry): string => entry.time_zone ?? file.time_zone;
  const at = (moment: RuleEntry['from'], zone: string): number | undefined =>
    moment === undefined ? undefined : resolveMoment(moment, zone);
  const scheduleOf = (entry: RuleEntry | ExceptionEntry): Schedule | undefined => {
    const { windows, holidays: onHolidays } = entry;
    if (windows === undefined && onHolidays === undefined) return undefined;
    return {
      zone: zoneOf(zoneName(entry)),
      windows: windows ?? [parseWindow('daily')],
      holidays,
      onHolidays: onHolidays ?? 'as-usual',
    };
  };

  const toRule = (entry: RuleEntry): Rule => ({
    id: entry.id,
    what: toWhat(entry),
    groups: entry.groups,
    from: at(entry.from, zoneName(entry)),
    until: at(entry.until, zoneName(entry)),
    schedule: scheduleOf(entry),
    effect: entry.effect,
    reason: plainText(entry.reason),
    reasons: Object.keys(entry.reason).length > 1 ? entry.reason : undefined,
    assistant: entry.assistant,
    manner: entry.manner,
    redirect: entry.redirect,
    link: entry.link,
    clearSiteData: entry.clear_site_data,
    letAccountCallsPass: entry.let_account_calls_pass,
    onChange: entry.open_tunnels,
  });
  const toException = (entry: ExceptionEntry): Exception => ({
    id: entry.id,
    what: toWhat(entry),
    groups: entry.groups,
    from: at(entry.from, zoneName(entry)),
    until: resolveMoment(entry.until, zoneName(entry)),
    schedule: scheduleOf(entry),
    approvedBy: entry.approved_by,
    ticket: entry.ticket,
    reason: entry.reason,
  });

  return {
    timeZone: file.time_zone,
    assistants: Object.entries(file.assistants).map(([id, assistant]) => ({ id, ...assistant })),
    defaultAssistant: file.default_assistant ?? null,
    groups: Object.fromEntries(Object.entries(file.groups).map(([id, group]) => [id, group.networks])),
    rules: file.rules.map(toRule),
    exceptions: file.exceptions.map(toException),
    defaults: {
      unlisted: file.defaults.unlisted,
      catalogue: file.defaults.catalogue,
      ...(file.defaults.unknown_model !== undefined && { unknownModel: file.defaults.unknown_model }),
      manner: file.defaults.manner,
      redirect: file.defaults.redirect,
      rawAddress: file.defaults.raw_address,
      onChange: file.defaults.open_tunnels,
    },
  };
}
