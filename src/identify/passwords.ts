/** Users of a password file, checked on the threads of a pool. */
import { createHmac, randomBytes } from 'node:crypto';
import { foldName } from '../user-name.ts';
import type { Backend } from './credentials.ts';
import type { PasswordPool } from './password-pool.ts';

/** Folded names to those of the file; null for several that differ in case only, of which none is meant by another. */
function foldedNames(users: ReadonlyMap<string, string>): ReadonlyMap<string, string | null> {
  const names = new Map<string, string | null>();
  for (const name of users.keys()) {
    const folded = foldName(name);
    names.set(folded, names.has(folded) ? null : name);
  }
  return names;
}

/** @param users user to hash, as they are now; never empty. */
export function createPasswords(users: () => ReadonlyMap<string, string>, pool: PasswordPool): Backend {
  const secret = randomBytes(32);
  /**
   * The hash that a user who is not there is checked against, always the same one: hashes cost differently, and the time
   * would tell who is there if all strangers took that of one.
   */
  const strangers = (user: string, known: ReadonlyMap<string, string>): string => {
    const at = createHmac('sha256', secret).update(foldName(user)).digest().readUInt32BE() % known.size;
    return [...known.values()][at] ?? '';
  };
  let folded: { readonly of: ReadonlyMap<string, string>; readonly names: ReadonlyMap<string, string | null> } | null =
    null;
  /** The name in the file, as it stands there: exactly this one, or the one that is the same in another case. */
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
