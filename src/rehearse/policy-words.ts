/** Describes a policy: each rule or exception as a sentence, and each part of the document as facts. */
import type { DomainList, Exception, PolicyDocument, Rule, Schedule } from '../flow.ts';

/** A part of a policy to compare: its kind and id, a description, and its facts by name. */
export interface Part {
  readonly kind: string;
  readonly id: string;
  readonly says: string;
  readonly facts: ReadonlyMap<string, string>;
}

const moments: ReadonlySet<string> = new Set(['from', 'until']);

/** Formats epoch milliseconds as ISO 8601, without trailing zero parts. */
export function momentText(at: number): string {
  return new Date(at).toISOString().replace(/(?:T00:00)?(?::00)?\.000Z$/, (end) => (end.startsWith('T') ? '' : 'Z'));
}

function valueText(name: string, value: unknown): string {
  if (typeof value === 'number' && moments.has(name)) return momentText(value);
  if (value instanceof Set) return [...value].map((one) => valueText(name, one)).join(', ');
  if (Array.isArray(value)) return value.map((one) => valueText(name, one)).join(', ');
  if (typeof value === 'object' && value !== null)
    return JSON.stringify(value, (_, one: unknown) => (one instanceof Set ? [...one] : one));
  return String(value);
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Formats minutes of a day, possibly beyond midnight, such as `22:00` or `06:00`. */
function clock(minutes: number): string {
  const two = (value: number): string => value.toString().padStart(2, '0');
  return minutes === 1440 ? '24:00' : `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;
}

/** As in the file, day by day. */
function scheduleWords({ windows, holidays, onHolidays }: Schedule): string {
  const words = windows.map(({ days, start, end }) => {
    const named = weekdays.filter((_, day) => (days & (1 << day)) !== 0).join(' ');
    return start === 0 && end === 1440 ? named : `${named} ${clock(start)}-${clock(end)}`;
  });
  const free = onHolidays === 'as-usual' ? [] : [`holidays ${onHolidays} (${holidays.size})`];
  return [...words, ...free].join(', ');
}

/** A field's name in the file. */
function fileName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The fields of an entry as texts, by their names in the file. Flattens `what`. */
function factsOf(entry: object): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  for (const [name, value] of Object.entries(entry)) {
    if (name === 'id' || value === undefined || value === null) continue;
    if (name === 'what') for (const [field, words] of factsOf(value as object)) facts.set(field, words);
    else if (name === 'schedule') facts.set('windows', scheduleWords(value as Schedule));
    else facts.set(fileName(name), valueText(name, value));
  }
  return facts;
}

const kinds: Readonly<Record<string, string>> = {
  vendors: 'vendor',
  products: 'product',
  channels: 'channel',
  tags: 'tag',
  risks: 'risk class',
  domains: 'domain',
  lists: 'list',
};

const verbs = { allow: 'allows', deny: 'denies', monitor: 'counts' } as const;

function whatWords(what: Rule['what']): string {
  const named = Object.entries(what).filter(([, words]) => words !== undefined);
  if (named.length === 0) return 'everything';
  return named.map(([field, words]) => `${kinds[field] ?? field} ${valueText(field, words)}`).join(' and ');
}

function whomAndWhen(entry: Rule | Exception, facts: ReadonlyMap<string, string>): string {
  const { groups, from, until } = entry;
  const sites = facts.get('sites');
  const windows = facts.get('windows');
  return [
    groups === undefined ? 'for everyone' : `for ${groups.join(', ')}`,
    ...(sites === undefined ? [] : [`at ${sites}`]),
    ...(from === undefined ? [] : [`from ${momentText(from)}`]),
    ...(until === undefined ? [] : [`until ${momentText(until)}`]),
    ...(windows === undefined ? [] : [`in the windows ${windows}`]),
  ].join(' ');
}

function rulePart(rule: Rule): Part {
  const facts = factsOf(rule);
  const says = `${verbs[rule.effect]} ${whatWords(rule.what)} ${whomAndWhen(rule, facts)}: ${rule.reason}`;
  return { kind: 'rule', id: rule.id, says, facts };
}

function exceptionPart(exception: Exception): Part {
  const facts = factsOf(exception);
  const says = `allows ${whatWords(exception.what)} ${whomAndWhen(exception, facts)}, approved by ${exception.approvedBy}`;
  return { kind: 'exception', id: exception.id, says, facts };
}

/** A part with several fields, or with a single value. */
function plainPart(kind: string, id: string, value: unknown): Part {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const facts = isObject ? factsOf(value) : new Map([['value', valueText(id, value)]]);
  const said = [...facts].filter(([, text]) => text !== '');
  const says = said.map(([name, text]) => (name === 'value' ? text : `${name} ${text}`)).join(', ');
  return { kind, id, says, facts };
}

/** Omits what does not change the list: the path of a fetched list's copy, and access keys in its URL. */
function listPart({ id, url, file, ...list }: DomainList): Part {
  const place = url === null ? { file } : { url: url.replace(/[?#].*/, '') };
  return plainPart('list', id, { ...place, ...list, refresh: url === null ? null : `${list.refresh / 1000}s` });
}

const own: ReadonlySet<string> = new Set(['rules', 'exceptions', 'assistants', 'defaults', 'lists', 'pauses']);

/** All parts of the document. Maps such as `groups` are split by id. */
export function partsOf(document: PolicyDocument): readonly Part[] {
  const { rules, exceptions, assistants, defaults, lists = [], pauses = [] } = document;
  const others = Object.entries<unknown>({ ...document }).filter(
    ([name, value]) => !own.has(name) && value !== undefined && value !== null,
  );
  return [
    ...rules.map(rulePart),
    ...exceptions.map(exceptionPart),
    ...pauses.map(({ id, vendor, ...pause }) =>
      plainPart('pause', id, { vendor: vendor ?? 'every AI vendor', ...pause }),
    ),
    ...lists.map(listPart),
    ...assistants.map(({ id, ...assistant }) => plainPart('assistant', id, assistant)),
    ...Object.entries(defaults)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => plainPart('default', fileName(name), value)),
    ...others.flatMap(([name, value]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries<unknown>({ ...value }).map(([id, one]) => plainPart(name.replace(/s$/, ''), id, one))
        : [plainPart('setting', fileName(name), value)],
    ),
  ];
}
