/** Checks references within a policy and to the catalogue: every name exists, every window has a length. */
import type { AssistantChoice, Exception, PolicyDocument, RiskClass, Rule, What } from '../flow.ts';
import { didYouMean } from './nearest.ts';
import type { Finding, Path } from './problem.ts';
import { isReserved } from './reserved.ts';
import type { VendorFile } from './vendor-schema.ts';

/** The names that a policy may use. */
export interface Names {
  readonly vendors: readonly string[];
  /** `vendor/product`. */
  readonly products: readonly string[];
  readonly tags: readonly string[];
  readonly risks: readonly string[];
  readonly lists: readonly string[];
  readonly groups: readonly string[];
  readonly sites: readonly string[];
  readonly assistants: readonly string[];
  /** Other names of vendors, and the ids that are suggested for them. */
  readonly aliases: ReadonlyMap<string, readonly string[]>;
}

/** The names of a vendor; in a running configuration, vendors have only their ids. */
interface NamedVendor {
  readonly id: string;
  readonly tags: readonly string[];
  readonly products: readonly { readonly id: string; readonly tags: readonly string[]; readonly kind: string }[];
  readonly aliases?: readonly string[];
}

function byAlias(vendors: readonly NamedVendor[]): ReadonlyMap<string, readonly string[]> {
  const ids = new Map<string, string[]>();
  for (const { id, aliases = [] } of vendors) {
    for (const alias of aliases) ids.set(alias, [...(ids.get(alias) ?? []), id]);
  }
  return ids;
}

export function namesOf(policy: PolicyDocument, vendors: readonly NamedVendor[]): Names {
  // A product's kind is also a tag: `coding-agent`, `ide`.
  const tags = vendors.flatMap(({ tags, products }) => [
    ...tags,
    ...products.flatMap((product) => [...product.tags, product.kind]),
  ]);
  return {
    vendors: vendors.map(({ id }) => id),
    products: vendors.flatMap(({ id, products }) => products.map((product) => `${id}/${product.id}`)),
    tags: [...new Set(tags)].toSorted(),
    risks: Object.keys(policy.riskClasses ?? {}),
    lists: (policy.lists ?? []).map(({ id }) => id),
    groups: Object.keys(policy.groups),
    sites: Object.keys(policy.sites ?? {}),
    assistants: policy.assistants.map(({ id }) => id),
    aliases: byAlias(vendors),
  };
}

/** Why a vendor does not exist; null if it does. */
export function unknownVendor(word: string, names: Names): string | null {
  return unknown('vendor', word, names.vendors, names);
}

/** Suggestions in one check: each compares a word with every known one, and a request could name a thousand. */
const MOST_SUGGESTED = 20;
const suggested = new WeakMap<Names, number>();

function unknown(kind: string, word: string, known: readonly string[], names: Names): string | null {
  if (known.includes(word)) return null;
  const said = `unknown ${kind} "${word}"`;
  const count = suggested.get(names) ?? 0;
  if (count === MOST_SUGGESTED) return `${said}; correct the ones before it first`;
  suggested.set(names, count + 1);
  if (kind === 'vendor') {
    const meant = names.aliases.get(word.toLowerCase()) ?? [];
    if (meant.length > 0) return `${said}; did you mean ${meant.map((id) => `"${id}"`).join(' or ')}?`;
    const products = names.products.filter((product) => product.endsWith(`/${word.toLowerCase()}`));
    const [only] = products;
    if (only !== undefined && products.length === 1) {
      return `${said}; it is the product "${only}": did you mean its vendor "${only.split('/', 1)[0] ?? ''}"?`;
    }
  }
  return `${said}; ${didYouMean(word, known)}`;
}

/** If the vendor exists, its products are suggested. */
function unknownProduct(ref: string, names: Names): string | null {
  const vendor = ref.split('/', 1)[0] ?? '';
  const wrongVendor = unknown('vendor', vendor, names.vendors, names);
  if (wrongVendor !== null) return wrongVendor;
  const own = names.products.filter((product) => product.startsWith(`${vendor}/`));
  return unknown('product', ref, own, names);
}

interface Named {
  readonly what: What;
  readonly groups?: readonly string[] | undefined;
  readonly sites?: readonly string[] | undefined;
}

/** Checks the names of vendors, groups and the like. */
function checkWords({ what, groups, sites }: Named, path: Path, names: Names): Finding[] {
  const lists = [
    ['vendors', what.vendors, (word: string) => unknown('vendor', word, names.vendors, names)],
    ['products', what.products, (word: string) => unknownProduct(word, names)],
    ['tags', what.tags, (word: string) => unknown('tag', word, names.tags, names)],
    ['risks', what.risks, (word: string) => unknown('risk class', word, names.risks, names)],
    ['lists', what.lists, (word: string) => unknown('list', word, names.lists, names)],
    ['groups', groups, (word: string) => unknown('group', word, names.groups, names)],
    ['sites', sites, (word: string) => unknown('site', word, names.sites, names)],
  ] as const;
  return lists.flatMap(([key, words, check]) =>
    (words ?? []).flatMap((word, i) => {
      const message = check(word);
      return message === null ? [] : [{ path: [...path, key, i], message }];
    }),
  );
}

function checkAssistant(assistant: string | undefined, path: Path, names: Names): Finding[] {
  const message = assistant === undefined ? null : unknown('assistant', assistant, names.assistants, names);
  return message === null ? [] : [{ path: [...path, 'assistant'], message }];
}

/** Everything that is wrong in a rule or exception by itself. */
export function checkEntry(entry: Rule | Exception, path: Path, names: Names): Finding[] {
  const found = checkWords(entry, path, names);
  found.push(...checkAssistant('assistant' in entry ? entry.assistant : undefined, path, names));
  if (isReserved(entry.id)) {
    const message = `the id "${entry.id}" is reserved; choose another`;
    found.push({ path: [...path, 'id'], message });
  }
  if (entry.from !== undefined && entry.until !== undefined && entry.from >= entry.until) {
    found.push({ path: [...path, 'until'], message: '"until" is not after "from"; swap or correct them' });
  }
  if (entry.schedule !== undefined && entry.schedule.onHolidays !== 'as-usual' && entry.schedule.holidays.size === 0) {
    const message = 'no holidays are defined; list their dates under "holidays" at the top level of the file';
    found.push({ path: [...path, 'holidays'], message });
  }
  return found;
}

function checkChoices(choices: readonly AssistantChoice[], names: Names): Finding[] {
  return choices.flatMap((choice, i) => {
    const path = ['assistant_for', i];
    return [...checkWords(choice, path, names), ...checkAssistant(choice.assistant, path, names)];
  });
}

function checkRisks(classes: Readonly<Record<string, RiskClass>>, names: Names): Finding[] {
  return Object.entries(classes).flatMap(([id, what]) => checkWords({ what }, ['risk_classes', id], names));
}

function checkSites({ groups, sites = {} }: PolicyDocument, names: Names): Finding[] {
  return Object.entries(sites).flatMap(([id, { assistant }]) => [
    // Groups and sites share their ids.
    ...(Object.hasOwn(groups, id)
      ? [{ path: ['sites', id], message: `"${id}" is already the id of a group; rename one of the two`, onKey: true }]
      : []),
    ...checkAssistant(assistant, ['sites', id], names),
  ]);
}

/** Checks the services for which there are migration texts. */
function checkMigrations({ assistants }: PolicyDocument, names: Names): Finding[] {
  return assistants.flatMap(({ id, migrations }) =>
    Object.keys(migrations ?? {}).flatMap((from) => {
      const isProduct = from.includes('/');
      const message = isProduct ? unknownProduct(from, names) : unknown('vendor', from, names.vendors, names);
      return message === null ? [] : [{ path: ['assistants', id, 'migrations', from], message, onKey: true }];
    }),
  );
}

/** Everything that is wrong in a policy with a valid structure. */
export function checkPolicy(policy: PolicyDocument, vendors: readonly VendorFile[]): Finding[] {
  const names = namesOf(policy, vendors);
  const found: Finding[] = [
    ...checkMigrations(policy, names),
    ...checkChoices(policy.assistantFor ?? [], names),
    ...checkSites(policy, names),
    ...checkRisks(policy.riskClasses ?? {}, names),
  ];
  const seen = new Map<string, string>();
  const entries = (['rules', 'exceptions'] as const).flatMap((list) =>
    policy[list].map((entry, i) => ({ entry, path: [list, i], kind: list === 'rules' ? 'rule' : 'exception' })),
  );
  for (const { entry, path, kind } of entries) {
    const before = seen.get(entry.id);
    if (before !== undefined) {
      found.push({
        path: [...path, 'id'],
        message: `the id "${entry.id}" is already used by ${before}; rename one of the two`,
      });
    } else seen.set(entry.id, `another ${kind}`);
    found.push(...checkEntry(entry, path, names));
  }
  if (policy.defaultAssistant !== null) {
    const message = unknown('assistant', policy.defaultAssistant, names.assistants, names);
    if (message !== null) found.push({ path: ['default_assistant'], message });
  }
  return found;
}
