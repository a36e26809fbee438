/** The external lists of a policy, for commands that decide: as they are on disk, fetched by nobody. */
import { buildDomainSet, type DomainSet } from '../decide/domain-set.ts';
import type { DomainSets } from '../decide/near.ts';
import { readList, type ListText } from '../config/read-list.ts';
import type { Config } from '../config/schema.ts';
import type { PolicyDocument } from '../flow.ts';

export interface ListsOnDisk {
  readonly sets: DomainSets;
  /** What a person should know of them, one line for each fact. */
  readonly warnings: readonly string[];
}

function badLines(id: string, { bad, firstBad }: ListText): string[] {
  if (firstBad === null) return [];
  return [`the list "${id}" has ${bad} lines that are no domains; the first is line ${firstBad.line}: ${firstBad.why}`];
}

/** What a policy is judged with, its lists among it. */
export async function judgedOnDisk({ policy, vendors }: Pick<Config, 'policy' | 'vendors'>) {
  const { sets } = await listsOnDisk(policy);
  return { document: policy, vendors, sets };
}

export async function listsOnDisk({ lists = [] }: PolicyDocument): Promise<ListsOnDisk> {
  const sets = new Map<string, DomainSet>();
  const warnings: string[] = [];
  for (const { id, file, url, format, maxBytes } of lists) {
    try {
      const { set, text } = await readList(file, format, maxBytes, buildDomainSet(0));
      sets.set(id, set);
      warnings.push(...badLines(id, text));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const fetched = url === null ? 'correct it' : 'a running proxy fetches it';
      warnings.push(`the list "${id}" covers nothing here: ${why}; ${fetched}`);
    }
  }
  return { sets, warnings };
}
