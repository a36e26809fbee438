/** `sallyport exceptions`: lists, adds and revokes exceptions. */
import { userInfo } from 'node:os';
import { add, Refused, revoke, shownEntry } from '../config/exception-changes.ts';
import type { Shown } from '../config/exception-line.ts';
import { changeExceptions } from '../config/exception-store.ts';
import { didYouMean } from '../config/nearest.ts';
import { shownPath } from '../config/problem.ts';
import { listEntries, termsOf } from '../config/stored-exceptions.ts';
import { policyAtHand, wholePolicy } from './policy-at-hand.ts';
import { configFile, configOption, parse, UsageError } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

const many = { type: 'string', multiple: true } as const;

const options = {
  ...configOption,
  json: { type: 'boolean' },
  all: { type: 'boolean' },
  id: { type: 'string' },
  vendor: many,
  product: many,
  channel: many,
  tag: many,
  risk: many,
  domain: many,
  list: many,
  group: many,
  site: many,
  user: many,
  client: many,
  from: { type: 'string' },
  until: { type: 'string' },
  'approved-by': { type: 'string' },
  ticket: { type: 'string' },
  replace: { type: 'boolean' },
  reason: { type: 'string' },
  by: { type: 'string' },
} as const;

type Values = ReturnType<typeof parse<{ args: string[]; options: typeof options; allowPositionals: true }>>['values'];

interface Call {
  readonly values: Values;
  readonly names: readonly string[];
  readonly io: Io;
  /** The configuration file. */
  readonly file: string;
}

/** The account that runs the command. */
export function whoAsks(given: string | undefined): string {
  if (given !== undefined) return given;
  try {
    return userInfo().username;
  } catch {
    // An account without a name, as in some containers.
    return 'command line';
  }
}

/** Runs a change: an invalid one is a usage error (2), one about something that does not exist is a 1. */
export async function attempt(what: string, io: Io, change: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await change();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.why !== 'unknown') throw new UsageError(`${what}: ${error.message}`, { cause: error });
    io.err(`sallyport: ${what}: ${error.message}`);
    return 1;
  }
}

const aboutKeys = ['vendors', 'products', 'channels', 'tags', 'risks', 'domains', 'lists', 'pause'] as const;
/** One of these suffices; a site may be added to any of them. */
const whomKeys = ['groups', 'users', 'networks'] as const;

function words(entry: Shown, keys: readonly string[], none: string): string {
  const all = keys.flatMap((key) => entry[key] ?? []).map(String);
  return all.length === 0 ? none : all.join(', ');
}

const everyone = 'everyone';

function whom(entry: Shown): string {
  const people = words(entry, whomKeys, everyone);
  return entry['sites'] === undefined ? people : `${people} at ${words(entry, ['sites'], '')}`;
}

/** One entry as one line. */
export function entryLine(entry: Shown): string {
  const {
    id,
    until,
    state,
    approved_by: approved,
    ticket,
    reason,
    created_by: by,
    revoked_at: at,
    revoked_by: revoker,
  } = entry;
  const kind = entry['pause'] === undefined ? '' : 'pause of ';
  const about = entry['pause'] === '*' ? 'every vendor' : words(entry, aboutKeys, 'everything');
  const facts = [
    `${kind}${about}`,
    `for ${whom(entry)}`,
    `until ${String(until)}`,
    ...(approved === undefined ? [] : [`approved by ${String(approved)}`]),
    ...(ticket === undefined ? [] : [String(ticket)]),
    ...(by === undefined ? ['in the policy file'] : [`added by ${String(by)}`]),
    ...(at === undefined ? [] : [`ended ${String(at)} by ${String(revoker)}`]),
    `reason: ${String(reason)}`,
  ];
  return `${String(state).padEnd(9)}  ${String(id).padEnd(32)}  ${facts.join('; ')}`;
}

const aboutOptions = ['vendor', 'product', 'channel', 'tag', 'risk', 'domain', 'list'] as const;

async function addOne({ values, io, file }: Call): Promise<ExitCode> {
  if (aboutOptions.every((option) => values[option] === undefined)) {
    const known = aboutOptions.map((option) => `--${option}`).join(', ');
    throw new UsageError(`exceptions add: say what it is for; add one of ${known}`);
  }
  const { until, reason, 'approved-by': approvedBy } = values;
  const needed = Object.entries({ until, reason, 'approved-by': approvedBy });
  const missing = needed.flatMap(([option, value]) => (value === undefined ? [`--${option}`] : []));
  if (missing.length === 1) throw new UsageError(`exceptions add: ${missing.join('')} is missing; add it`);
  if (missing.length > 1) throw new UsageError(`exceptions add: ${missing.join(', ')} are missing; add them`);
  const list = (words: readonly string[] | undefined): string[] | undefined =>
    words?.flatMap((word) => word.split(',')).map((word) => word.trim());
  const wanted = {
    id: values.id,
    vendors: list(values.vendor),
    products: list(values.product),
    channels: list(values.channel),
    tags: list(values.tag),
    risks: list(values.risk),
    domains: list(values.domain),
    lists: list(values.list),
    groups: list(values.group),
    sites: list(values.site),
    users: list(values.user),
    networks: list(values.client),
    from: values.from,
    until: until ?? '',
    approved_by: approvedBy ?? '',
    ticket: values.ticket,
    reason: reason ?? '',
    replace: values.replace,
  };
  const config = wholePolicy('exceptions add', file);
  const terms = termsOf(config, Date.now());
  const changed = await changeExceptions(config.exceptionsFile, (contents) =>
    add(contents, wanted, whoAsks(values.by), terms),
  );
  const stored = changed.at(-1);
  if (stored === undefined) return 1;
  const shown = shownEntry(stored, Date.now());
  if (values.json === true) io.out(JSON.stringify(shown, null, 2));
  else changed.forEach((one) => io.out(entryLine(shownEntry(one, Date.now()))));
  if (values.json !== true && whom(shown) === everyone) {
    io.err(
      `note: "${stored.id}" is for everyone; --group, --site, --user or --client would limit it ("sallyport exceptions revoke ${stored.id}" ends it)`,
    );
  }
  return 0;
}

function list({ values, io, file }: Call): ExitCode {
  const { exceptionsFile, entries: known, isWhole } = policyAtHand(file, io);
  const listed = listEntries(known, values.all === true, Date.now());
  const entries = [...listed.exceptions, ...listed.pauses];
  if (values.json === true) io.out(JSON.stringify({ file: exceptionsFile, ...listed }, null, 2));
  else if (entries.length > 0) entries.forEach((entry) => io.out(entryLine(entry)));
  else io.out(`no exceptions in ${shownPath(exceptionsFile)}${isWhole ? ' and the policy' : ''}`);
  return 0;
}

async function revokeOne({ values, names, io, file }: Call): Promise<ExitCode> {
  const [id] = names;
  if (id === undefined) throw new UsageError('exceptions revoke: name the id; "sallyport exceptions list" shows it');
  const { exceptionsFile, terms } = policyAtHand(file, io);
  const [stored] = await changeExceptions(exceptionsFile, (contents) =>
    revoke(contents, id, whoAsks(values.by), terms(Date.now())),
  );
  if (stored === undefined) return 1;
  const shown = shownEntry(stored, Date.now());
  io.out(values.json === true ? JSON.stringify(shown, null, 2) : entryLine(shown));
  return 0;
}

const actions: Readonly<Record<string, (call: Call) => ExitCode | Promise<ExitCode>>> = {
  add: addOne,
  list,
  revoke: revokeOne,
};

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parse({ args: [...args], options, allowPositionals: true });
  const [action = '', ...names] = positionals;
  const known = Object.keys(actions);
  const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (act === undefined) {
    const wrong =
      action === ''
        ? `name an action: ${known.join(', ')}`
        : `unknown action "${action}"; ${didYouMean(action, known)}`;
    throw new UsageError(`exceptions: ${wrong}`);
  }
  const most = action === 'revoke' ? 1 : 0;
  if (names.length > most) {
    const name = names[most] ?? '';
    const option = action === 'add' ? `; say what it is for with an option, such as --vendor ${name}` : '';
    throw new UsageError(`exceptions ${action}: unexpected argument "${name}"${option}`);
  }
  const file = configFile(values.config, io);
  return attempt(`exceptions ${action}`, io, async () => act({ values, names, io, file }));
}

export const exceptions: Verb = {
  summary: 'Lets people use what a rule denies until a date; a running proxy follows within a second',
  usage:
    'exceptions add (--vendor|--product|--domain|--list|--tag|--risk|--channel NAME)... [--group|--site|--user|--client WHO]... --until DATE|30d|2h --approved-by NAME --reason TEXT [--from DATE] [--ticket ID] [--id ID] [--replace] | list [--all] | revoke ID [--by NAME] [--json] [-c FILE]',
  run,
};
