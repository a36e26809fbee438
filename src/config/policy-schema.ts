/** The schema of `policy.yaml`. */
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { parseHost } from '../listen/target.ts';
import { isTimeZone, parseMoment } from './moment.ts';
import { listsSchema } from './lists-schema.ts';
import { nearest } from './nearest.ts';
import { parseCidr } from './network.ts';
import { id, line, link, noneOrMany, oneOrMany, productRef, read, strict, webUrl } from './scalars.ts';
import { texts } from './texts.ts';
import { channel } from './vendor-schema.ts';
import { parseWindow } from './windows.ts';

const effect = z.enum(['allow', 'deny', 'monitor']);
const manner = z.enum(['intercept', 'refuse', 'reset']);
const openTunnels = z.enum(['keep', 'drain', 'cut']);
const redirect = z.enum(['page', 'immediate']);

/** YAML reads a date without hyphens as a number. */
function notDate({ input }: z.core.$ZodRawIssue): string | undefined {
  if (typeof input !== 'number') return undefined;
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(String(input)) ?? [];
  const cure = year === undefined ? 'one such as 2026-07-10' : `${year}-${month ?? ''}-${day ?? ''}`;
  return `${input} is a number, not a date; write ${cure}`;
}

const moment = read((text) => {
  if (/^\d+[a-z]+$/i.test(text)) {
    throw new ConfigError(`"${text}" is a length of time, and a policy has only dates; write one such as 2026-07-10`);
  }
  return parseMoment(text);
}, notDate);

/** `example.com`: the name and its subdomains; `=example.com`: only the name. An address has no subdomains. */
const domain = read((text) => {
  if (text.includes('*')) {
    throw new ConfigError(`"${text}" has a wildcard; "example.com" already means the name and everything below it`);
  }
  const only = text.startsWith('=');
  const { host, kind } = parseHost(only ? text.slice(1) : text);
  return only || kind !== 'name' ? `=${host}` : host;
});

/** A name as in a ClientHello: exact, and no address. */
const publicName = read((text) => {
  const { host, kind } = parseHost(text);
  if (kind !== 'name') throw new ConfigError(`"${text}" is an address; write a name such as cloudflare-ech.com`);
  return host;
});

/** Days since 1 January 1970. */
function parseHoliday(text: string): number {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? parseMoment(text) : null;
  if (day?.kind !== 'day') throw new ConfigError(`"${text}" is not a day; write one such as 2026-12-25`);
  return Date.UTC(day.year, day.month - 1, day.day) / 86_400_000;
}

const holiday = read(parseHoliday, (issue) =>
  isMapping(issue.input)
    ? 'a holiday is only a day; write one such as 2026-12-25, and its name in a comment'
    : notDate(issue),
);

function isMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const timeZone = read((text) => {
  if (isTimeZone(text)) return text;
  const near = nearest(text, Intl.supportedValuesOf('timeZone'));
  const cure = near === null ? 'write an IANA name such as Europe/Berlin' : `did you mean "${near}"?`;
  throw new ConfigError(`"${text}" is not a time zone; ${cure}`);
});

const holidays = noneOrMany(holiday, ({ input }) =>
  isMapping(input)
    ? '"holidays" must be a list of days, not a mapping of keys; write [2026-12-25, 2027-01-01]'
    : undefined,
);

/** Whether a rule applies on holidays. */
const onHolidays = z.enum(['except', 'only'], {
  error: ({ input }) =>
    (typeof input === 'object' && input !== null) || typeof input === 'number' || /^\d/.test(String(input))
      ? '"holidays" of a rule or an exception is "except" or "only"; list the days at the top level of the file, or in a site'
      : undefined,
});

export const what = {
  vendors: oneOrMany(id).optional(),
  products: oneOrMany(productRef).optional(),
  channels: oneOrMany(channel).optional(),
  tags: oneOrMany(id).optional(),
  risks: oneOrMany(id).optional(),
  domains: oneOrMany(domain).optional(),
  /** Ids of external lists. */
  lists: oneOrMany(id).optional(),
};
export const whatKeys = Object.keys(what) as (keyof typeof what)[];

export function namesSomething(entry: { readonly [K in keyof typeof what]?: unknown }): boolean {
  return whatKeys.some((key) => entry[key] !== undefined);
}
export const namesNothing = `it does not say what it is about; add one of ${whatKeys.join(', ')}`;

const whom = { groups: oneOrMany(id).optional(), sites: oneOrMany(id).optional() };

const whomAndWhen = {
  ...whom,
  from: moment.optional(),
  windows: oneOrMany(read(parseWindow)).optional(),
  holidays: onHolidays.optional(),
  time_zone: timeZone.optional(),
};

function forGroups(what: string): string {
  return `rules and exceptions are for groups: write a group with these ${what}, and its id under "groups" here`;
}

/** What other products, and our own commands, call keys of a rule or an exception. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ...['user', 'users'].map((key) => [key, forGroups('users')] as const),
  ...['client', 'clients', 'network', 'networks'].map((key) => [key, forGroups('networks')] as const),
  ...['name', 'title'].map((key) => [key, 'did you mean "id"?'] as const),
  ...['action', 'decision', 'verdict'].map((key) => [key, 'did you mean "effect"?'] as const),
  ...['message', 'description', 'comment'].map((key) => [key, 'did you mean "reason"?'] as const),
  ...['expires', 'end', 'to'].map((key) => [key, 'did you mean "until"?'] as const),
  ...['start', 'since'].map((key) => [key, 'did you mean "from"?'] as const),
]);

const ruleKeys = {
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
  details: webUrl.optional(),
  owner: line.optional(),
  clear_site_data: z.boolean().optional(),
  let_account_calls_pass: z.boolean().optional(),
  open_tunnels: openTunnels.optional(),
};

const rule = strict(ruleKeys, otherNames)
  .refine(namesSomething, namesNothing)
  .refine(
    ({ manner, let_account_calls_pass: pass }) => pass !== true || manner === undefined || manner === 'intercept',
    'let_account_calls_pass needs decrypted requests; write "manner: intercept", or remove one of the two',
  );

const exceptionKeys = {
  id,
  ...what,
  ...whomAndWhen,
  until: moment,
  approved_by: line,
  ticket: line.optional(),
  reason: line,
};

const exception = strict(exceptionKeys, otherNames).refine(namesSomething, namesNothing);

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

/** The first match is the assistant for rules that name none. */
const assistantChoice = strict({ ...what, ...whom, assistant: id });

const networks = oneOrMany(read(parseCidr));

const group = strict({
  networks: networks.optional(),
  users: oneOrMany(line).optional(),
  /** Names of the group in the field of a trusted proxy or in a directory. */
  forwarded: oneOrMany(line).optional(),
}).refine(
  (entry) => (entry.networks ?? entry.users ?? entry.forwarded) !== undefined,
  'the group is empty; add one of networks, users, forwarded',
);

const site = strict({
  networks,
  time_zone: timeZone.optional(),
  holidays: holidays.optional(),
  assistant: id.optional(),
});

const riskKeys = ['vendors', 'products', 'channels', 'tags'] as const;
const riskClass = strict({
  vendors: what.vendors,
  products: what.products,
  channels: what.channels,
  tags: what.tags,
}).refine(
  (entry) => riskKeys.some((key) => entry[key] !== undefined),
  `the class is empty; add one of ${riskKeys.join(', ')}`,
);

const shapeOfPolicy = strict({
  mode: z.enum(['open', 'sanctioned-only']).default('open'),
  time_zone: timeZone.default('UTC'),
  holidays: holidays.default([]),
  assistants: z.record(id, assistant).default({}),
  default_assistant: id.optional(),
  assistant_for: z.array(assistantChoice).default([]),
  groups: z.record(id, group).default({}),
  sites: z.record(id, site).default({}),
  risk_classes: z.record(id, riskClass).default({}),
  lists: listsSchema.default({}),
  rules: z.array(rule).optional(),
  exceptions: z.array(exception).default([]),
  defaults: strict({
    unlisted: effect.default('allow'),
    catalogue: effect.default('monitor'),
    unknown_model: effect.optional(),
    manner: manner.default('intercept'),
    redirect: redirect.default('page'),
    raw_address: effect.default('deny'),
    ech: z.enum(['allow', 'deny']).optional(),
    ech_public_names: noneOrMany(publicName).default([]),
    open_tunnels: openTunnels.default('keep'),
  }).prefault({}),
});

type Written = z.output<typeof shapeOfPolicy>;

/** A day or an hour at several sites in different time zones has no single beginning. */
function oneClock({ rules = [], exceptions, sites, time_zone: zone }: Written): z.core.$ZodSuperRefineIssue[] {
  return Object.entries({ rules, exceptions }).flatMap(([list, entries]) =>
    entries.flatMap((entry, i) => {
      const days = [entry.from, entry.until].some((moment) => moment?.kind === 'day');
      if (entry.time_zone !== undefined || !(days || (entry.windows ?? entry.holidays) !== undefined)) return [];
      const zones = new Set((entry.sites ?? []).map((id) => sites[id]?.time_zone ?? zone));
      if (zones.size < 2) return [];
      const message = `its sites are in different time zones, ${[...zones].join(' and ')}; add "time_zone", or write a rule for each`;
      return [{ code: 'custom', path: [list, i, 'sites'], message }];
    }),
  );
}

export const policySchema = shapeOfPolicy.superRefine((file, context) => {
  oneClock(file).forEach((issue) => context.addIssue(issue));
});

export type PolicyFile = z.output<typeof policySchema>;
