/** Compares two policies' copies of the same list. */
import { counted } from '../config/counted.ts';
import { readDomainList, type ListBuilder } from '../config/read-list.ts';
import type { DomainSet } from '../decide/domain-set.ts';
import type { ListDifference } from '../rehearse/list-cases.ts';
import type { PolicyChange } from '../rehearse/policy-changes.ts';
import type { ListFound, ListsOnDisk } from './domain-sets.ts';

/** Number of names in one line. */
const shown = 5;

/** A changed list, with its numbers of names. */
export interface ListChange extends ListDifference {
  readonly before: number;
  readonly after: number;
}

/** Collects the names that `other` does not cover. */
function namesWithout(other: DomainSet): ListBuilder<ReadonlySet<string>> {
  const names = new Set<string>();
  return {
    add(bytes, from, to, listed) {
      const name = Buffer.from(bytes.subarray(from, to)).toString('latin1');
      if (listed === 'not') return;
      // A name that is listed as exact does not cover its subdomains.
      if (other.find(name) === 0 || (listed === 'suffix' && other.find(`_.${name}`) === 0)) names.add(name);
    },
    *build() {
      yield;
      return names;
    },
  };
}

/** Lists that both policies have, that could be read, and that are not the same file. */
export async function listChanges(before: ListsOnDisk, after: ListsOnDisk): Promise<readonly ListChange[]> {
  const changes: ListChange[] = [];
  for (const now of after.found) {
    const { id } = now.list;
    const old = before.found.find(({ list }) => list.id === id);
    if (old === undefined || old.sha256 === now.sha256) continue;
    const missing = async ({ list }: ListFound, other: DomainSet | undefined): Promise<readonly string[]> =>
      other === undefined ? [] : [...(await readDomainList(list, list.file, namesWithout(other))).set];
    const gains = await missing(now, before.sets.get(id));
    const loses = await missing(old, after.sets.get(id));
    if (gains.length + loses.length > 0) changes.push({ id, before: old.domains, after: now.domains, gains, loses });
  }
  return changes;
}

function namesText(word: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > shown ? ', …' : '';
  return [`${counted(names.length, 'domain')} ${word} (${names.slice(0, shown).join(', ')}${more})`];
}

/** In the same form as other differences between policies. */
export function listChangeOf({ id, before, after, gains, loses }: ListChange): PolicyChange {
  const text = [...namesText('more', gains), ...namesText('fewer', loses)].join(', ');
  const facts = { domains: { before: String(before), after: String(after) } };
  return { change: 'changed', kind: 'list', id, text, facts };
}
