/** The schema of `policy.yaml`. */
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { parseHost } from '../listen/target.ts';
import { isTimeZone, parseMoment } from './moment.ts';
import { listsSchema } from './lists-schema.ts';
import { nearest } from './nearest.ts';
import { parseCidr } from './network.ts';
import { id, line, link, oneOrMany, productRef, read, strict, webUrl } from './scalars.ts';
import { texts } from './texts.ts';
import { channel } from './vendor-schema.ts';
import { parseWindow } from './windows.ts';

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

/** A name as in a ClientHello: exact, and no address. */
const publicName = read((text) => {
  const { host, kind } = parseHost(text);
  if (kind !== 'name') throw new ConfigError(`"${text}" is an address; write a name such as cloudflare-ech.com`);
  return host;
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

const holidays = z.array(read(parseHoliday));

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
  details: webUrl.optional(),
  owner: line.optional(),
  clear_site_data: z.boolean().optional(),
  let_account_calls_pass: z.boolean().optional(),
  open_tunnels: openTunnels.optional(),
})
  .refine(namesSomething, namesNothing)
  .refine(
    ({ manner, let_account_calls_pass: pass }) => pass !== true || manner === undefined || manner === 'intercept',
    'let_account_calls_pass needs decrypted requests; write "manner: intercept", or remove one of the two',
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
    ech_public_names: z.array(publicName).default([]),
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
