/** Reads the external lists of a policy from disk, for commands that decide; nothing is fetched. */
import { existsSync } from 'node:fs';
import { buildDomainSet, type DomainSet } from '../decide/domain-set.ts';
import type { DomainSets } from '../decide/near.ts';
import { listsDenied } from '../config/lists-schema.ts';
import { readDomainList, type ListText } from '../config/read-list.ts';
import type { Config } from '../config/schema.ts';
import type { DomainList, PolicyDocument } from '../flow.ts';
import type { Judged } from '../rehearse/judge.ts';

/** A list that could be read. */
export interface ListFound {
  readonly list: DomainList;
  readonly domains: number;
  readonly badLines: number;
  readonly sha256: string;
}

export interface ListsOnDisk {
  readonly sets: DomainSets;
  readonly found: readonly ListFound[];
  /** Warnings about them, one line each. */
  readonly warnings: readonly ListWarning[];
}

export interface ListWarning {
  readonly id: string;
  readonly message: string;
  /** Whether it keeps a proxy from starting. */
  readonly fatal: boolean;
}

const emptyCure =
  'a proxy that starts with it is not ready (/readyz) until it has one; fill the file, or take the list out';

function badLines(id: string, { bad, firstBad }: ListText): string[] {
  if (firstBad === null) return [];
  const lines = bad === 1 ? '1 line that is not a domain: it' : `${bad} lines that are not domains; the first`;
  return [`the list "${id}" has ${lines} is line ${firstBad.line}: ${firstBad.why}`];
}

function whyNothing({ file, url }: DomainList, error: unknown): string {
  if (url !== null && !existsSync(file)) {
    return `there is no copy of it in ${file}; only a running proxy fetches it`;
  }
  const why = error instanceof Error ? error.message : String(error);
  return `${why}; ${url === null ? 'correct it' : 'a running proxy fetches it again'}`;
}

export async function listsOnDisk(policy: PolicyDocument): Promise<ListsOnDisk> {
  const { lists = [] } = policy;
  const denied = listsDenied(policy);
  const sets = new Map<string, DomainSet>();
  const found: ListFound[] = [];
  const warnings: ListWarning[] = [];
  for (const list of lists) {
    const { id } = list;
    try {
      const { set, text } = await readDomainList(list, list.file, buildDomainSet(0));
      sets.set(id, set);
      found.push({ list, domains: set.size, badLines: text.bad, sha256: text.sha256 });
      const empty =
        set.size === 0 && denied.has(id)
          ? [`the list "${id}" has no domain in it, and a denial names it: ${emptyCure}`]
          : [];
      warnings.push(...[...empty, ...badLines(id, text)].map((message) => ({ id, message, fatal: false })));
    } catch (error) {
      const message = `the list "${id}" covers nothing here: ${whyNothing(list, error)}`;
      warnings.push({ id, message, fatal: list.url === null });
    }
  }
  return { sets, found, warnings };
}

/** A policy with its lists, and warnings about them. */
export async function judgedOnDisk({
  policy,
  vendors,
}: Pick<Config, 'policy' | 'vendors'>): Promise<{ readonly judged: Judged; readonly lists: ListsOnDisk }> {
  const lists = await listsOnDisk(policy);
  return { judged: { document: policy, vendors, sets: lists.sets }, lists };
}

/** Prints each warning once, whichever of two policies it is about. */
export function warnOf(all: readonly ListsOnDisk[], err: (line: string) => void): void {
  const lines = all.flatMap(({ warnings }) => warnings.map(({ message }) => `warning: ${message}`));
  for (const line of new Set(lines)) err(line);
}
