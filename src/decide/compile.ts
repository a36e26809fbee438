/**
 * Compiles a policy for fast decisions: each rule is indexed under its most specific field, so that a decision takes a
 * few lookups and never scans unrelated rules.
 */
import type { Assistant, Hostname, PolicyDocument, Service } from '../flow.ts';
import { fallbacksOf, type Fallbacks } from './defaults.ts';
import type { DomainSet } from './domain-set.ts';
import { echOf } from './ech.ts';
import type { Ech } from './ech.ts';
import { exceptionEntries, fieldOf, readPattern, ruleEntries, whomRank } from './entry.ts';
import type { Entry, Field } from './entry.ts';
import { indexHosts } from './match.ts';
import type { HostEntry, HostIndex } from './match.ts';
import type { DomainSets } from './near.ts';
import { indexPauses } from './pauses.ts';
import type { Pauses } from './pauses.ts';
import { indexRisks } from './subject.ts';
import type { RisksOf } from './subject.ts';

/** Entries under the same key, the strongest first. */
export interface Bucket {
  /** By group, or by site for entries that name only sites. */
  readonly byGroup: ReadonlyMap<string, readonly Entry[]>;
  readonly everyone: readonly Entry[];
}

type Table = ReadonlyMap<string, Bucket>;

/** An index of all rules, or of all exceptions. */
export interface Index {
  /** Whether there are none. */
  readonly empty: boolean;
  readonly domains: HostIndex<Bucket>;
  /** External lists, each with the entries that name it. */
  readonly lists: readonly { readonly set: DomainSet; readonly bucket: Bucket }[];
  readonly products: Table;
  readonly vendors: Table;
  readonly tags: Table;
  readonly risks: Table;
  readonly channels: Table;
  readonly everything: Bucket;
}

/** The host of an assistant, and its service in the catalogue. */
export interface Place {
  readonly host: Hostname;
  readonly service: Service | null;
}

export interface Policy {
  readonly document: PolicyDocument;
  readonly exceptions: Index;
  /** Null if there are none. */
  readonly pauses: Pauses | null;
  readonly rules: Index;
  readonly assistants: ReadonlyMap<string, Assistant>;
  /** By assistant. One without a place is never considered denied. */
  readonly places: ReadonlyMap<Assistant, Place>;
  readonly risksOf: RisksOf;
  readonly sets: DomainSets;
  readonly ech: Ech;
  readonly fallbacks: Fallbacks;
}

function append(lists: Map<string, Entry[]>, key: string, entry: Entry): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [entry]);
  else if (list.at(-1) !== entry) list.push(entry);
}

function toBucket(entries: readonly Entry[]): Bucket {
  const byGroup = new Map<string, Entry[]>();
  for (const entry of entries) for (const id of entry.groups ?? entry.sites ?? []) append(byGroup, id, entry);
  return { byGroup, everyone: entries.filter((entry) => whomRank(entry) === 2) };
}

/** Keys with the same single entry share its bucket, as one rule may name a million domains. */
function toBuckets(lists: ReadonlyMap<string, readonly Entry[]>): Table {
  const shared = new Map<Entry, Bucket>();
  const bucketOf = (entries: readonly Entry[]): Bucket => {
    const [only, second] = entries;
    if (only === undefined || second !== undefined) return toBucket(entries);
    const bucket = shared.get(only) ?? toBucket(entries);
    shared.set(only, bucket);
    return bucket;
  };
  return new Map(Array.from(lists, ([word, entries]) => [word, bucketOf(entries)]));
}

function* hostEntries(domains: Table): Generator<HostEntry<Bucket>> {
  for (const [text, value] of domains) yield { ...readPattern(text), value };
}

function index(entries: readonly Entry[], sets: DomainSets): Index {
  const filed: Record<Field, Map<string, Entry[]>> = {
    domains: new Map(),
    products: new Map(),
    vendors: new Map(),
    tags: new Map(),
    risks: new Map(),
    channels: new Map(),
  };
  const listed = new Map<string, Entry[]>();
  const catchAll: Entry[] = [];
  for (const entry of entries) {
    const field = fieldOf(entry.what);
    if (field === null) catchAll.push(entry);
    else for (const word of entry.what[field] ?? []) append(filed[field], word, entry);
    for (const id of entry.what.lists ?? []) append(listed, id, entry);
  }
  return {
    empty: entries.length === 0,
    domains: indexHosts(hostEntries(toBuckets(filed.domains))),
    lists: Array.from(listed).flatMap(([id, list]) => {
      const set = sets.get(id);
      return set === undefined ? [] : [{ set, bucket: toBucket(list) }];
    }),
    products: toBuckets(filed.products),
    vendors: toBuckets(filed.vendors),
    tags: toBuckets(filed.tags),
    risks: toBuckets(filed.risks),
    channels: toBuckets(filed.channels),
    everything: toBucket(catchAll),
  };
}

const none: DomainSets = new Map();

/**
 * Runs once for each load of the configuration. The time depends on the size of the document.
 *
 * @param placeOf the place of an assistant; null: it is recommended even if rules deny it.
 */
export function compile(
  document: PolicyDocument,
  sets = none,
  placeOf: (assistant: Assistant) => Place | null = () => null,
): Policy {
  return {
    document,
    exceptions: index(exceptionEntries(document), sets),
    pauses: indexPauses(document),
    rules: index(ruleEntries(document), sets),
    assistants: new Map(document.assistants.map((assistant) => [assistant.id, assistant])),
    places: new Map(
      document.assistants.flatMap((assistant): [Assistant, Place][] => {
        const place = placeOf(assistant);
        return place === null ? [] : [[assistant, place]];
      }),
    ),
    risksOf: indexRisks(document.riskClasses),
    sets,
    ech: echOf(document),
    fallbacks: fallbacksOf(document),
  };
}

/** The same policy with the exceptions and pauses of `document`; nothing else is compiled again. */
export function withExceptions(policy: Policy, document: PolicyDocument): Policy {
  return {
    ...policy,
    document,
    exceptions: index(exceptionEntries(document), policy.sets),
    pauses: indexPauses(document),
  };
}
