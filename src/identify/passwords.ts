/** Users of a password file, checked on the threads of a pool. */
import type { Backend } from './credentials.ts';
import type { PasswordPool } from './password-pool.ts';

/** @param users user to hash, as they are now; never empty. */
export function createPasswords(users: () => ReadonlyMap<string, string>, pool: PasswordPool): Backend {
  return {
    countedBy: (user) => user,
    async verify({ user, password }) {
      const known = users();
      const hash = known.get(user);
      // A user that is not there costs as much as one that is, or the time would tell who is.
      const [stranger] = known.values();
      const good = await pool.verify(password, hash ?? stranger ?? '');
      return good === null ? null : good && hash !== undefined && { user };
    },
  };
}
