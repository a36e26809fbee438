/** Users of a password file, verified on the threads of a pool. */
import { createHmac, randomBytes } from 'node:crypto';
import { foldName } from '../user-name.ts';
import type { Backend } from './credentials.ts';
import type { PasswordPool } from './password-pool.ts';

/**
 * Folded names to those in the file; null if several differ only in case, as then only the exact spelling is accepted.
 */
function foldedNames(users: ReadonlyMap<string, string>): ReadonlyMap<string, string | null> {
  const names = new Map<string, string | null>();
  for (const name of users.keys()) {
    const folded = foldName(name);
    names.set(folded, names.has(folded) ? null : name);
  }
  return names;
}

/** @param users the current users and hashes; never empty. */
export function createPasswords(users: () => ReadonlyMap<string, string>, pool: PasswordPool): Backend {
  const secret = randomBytes(32);
  /**
   * The hash that an unknown user is checked against, always the same for the same name: hashes differ in cost, and a
   * single one for all unknown users would reveal by its time who exists.
   */
  const strangers = (user: string, known: ReadonlyMap<string, string>): string => {
    const at = createHmac('sha256', secret).update(foldName(user)).digest().readUInt32BE() % known.size;
    return [...known.values()][at] ?? '';
  };
  let folded: { readonly of: ReadonlyMap<string, string>; readonly names: ReadonlyMap<string, string | null> } | null =
    null;
  /** The name as spelled in the file: an exact match, or the only one that differs just in case. */
  const nameIn = (known: ReadonlyMap<string, string>, user: string): string => {
    if (known.has(user)) return user;
    if (folded?.of !== known) folded = { of: known, names: foldedNames(known) };
    return folded.names.get(foldName(user)) ?? user;
  };
  return {
    countedBy: foldName,
    async verify({ user: typed, password }) {
      const known = users();
      const user = nameIn(known, typed);
      const hash = known.get(user);
      const good = await pool.verify(password, hash ?? strangers(user, known));
      return good === null ? null : good && hash !== undefined && { user };
    },
  };
}
