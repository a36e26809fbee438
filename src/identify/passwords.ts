/** Users of a password file, checked on the threads of a pool. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Backend } from './credentials.ts';
import type { PasswordPool } from './password-pool.ts';

/** @param users user to hash, as they are now; never empty. */
export function createPasswords(users: () => ReadonlyMap<string, string>, pool: PasswordPool): Backend {
  const secret = randomBytes(32);
  /**
   * The hash that a user who is not there is checked against, always the same one: hashes cost differently, and the time
   * would tell who is there if all strangers took that of one.
   */
  const strangers = (user: string, known: ReadonlyMap<string, string>): string => {
    const at = createHmac('sha256', secret).update(user).digest().readUInt32BE() % known.size;
    return [...known.values()][at] ?? '';
  };
  return {
    countedBy: (user) => user,
    async verify({ user, password }) {
      const known = users();
      const hash = known.get(user);
      const good = await pool.verify(password, hash ?? strangers(user, known));
      return good === null ? null : good && hash !== undefined && { user };
    },
  };
}
