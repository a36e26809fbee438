/** Users of a directory (LDAP): a user is who can bind with the password. */
import { randomUUID } from 'node:crypto';
import type { Backend, Known } from './credentials.ts';
import { converse, whyOf, type Directory, type LdapServer } from './ldap-session.ts';
import { createSemaphore } from './semaphore.ts';

/** `{user}` in names and filters is replaced by the escaped user. */
export type FindUser =
  /** The name to bind with. */
  | { readonly kind: 'name'; readonly name: string }
  /** The single entry below `base` that the filter finds. */
  | {
      readonly kind: 'search';
      readonly base: string;
      readonly filter: string;
      /** Account that searches; null: anonymous. */
      readonly reader: { readonly name: string; readonly password: () => string } | null;
      /** Attribute with the user's name in its proper spelling. */
      readonly userAttribute: string;
      /** Attribute with the user's groups; null: none are read. */
      readonly groupAttribute: string | null;
    };

export interface LdapOptions {
  /** Asked in turn until one answers; never empty. */
  readonly servers: readonly LdapServer[];
  readonly find: FindUser;
  /** Operations at once, and checks that may wait for one. */
  readonly atOnce: number;
  readonly queue: number;
  /** Called for each check that is refused because the queue is full. */
  readonly refused: () => void;
  readonly log: (line: string) => void;
}

/** Milliseconds before the same problem is logged again. */
const TELL_AGAIN = 60_000;

/**
 * Folds a name as a directory does (RFC 4518), which ignores case, width and the number of spaces, while rules and
 * limits ignore only case. Null for a name with characters that a directory ignores altogether.
 */
function foldedName(user: string): string | null {
  if (user.length > 256 || /[\p{Cc}\p{DI}]/u.test(user)) return null;
  return user.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim() || null;
}

/** The attribute value that is the user's name. @param user as typed, or folded. */
export function nameAmong(values: readonly string[], user: string): string | undefined {
  return values.find((one) => foldedName(one) === foldedName(user)) ?? values[0];
}

function hex(char: string): string {
  return `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** RFC 4515, section 3. */
export function escapeFilter(value: string): string {
  return value.replaceAll(/[\\*()\0]/g, hex);
}

/** RFC 4514, section 2.4. */
export function escapeDn(value: string): string {
  return value.replaceAll(/[\\",#+;<=>\0]|^ | $/g, hex);
}

/** The name to bind with; null if the template cannot hold that user. */
function bindName(template: string, user: string): string | null {
  if (template.includes('=')) return template.replaceAll('{user}', () => escapeDn(user));
  // `{user}@corp.example` and `CORP\{user}` have no escapes, and account names cannot contain these characters.
  return /["*+,/:;<=>?@[\\\]|]/.test(user) ? null : template.replaceAll('{user}', () => user);
}

/** A group given as a DN is also known by its first value: `cn=Chip Design,ou=groups` is "Chip Design". */
export function groupNames(value: string): string[] {
  const first = /^[A-Za-z][\w.-]*=((?:\\.|[^\\,+])+)(?:[,+]|$)/s.exec(value)?.[1];
  if (first === undefined) return [value];
  const bytes = first.replaceAll(/(?:\\[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('\\', ''), 'hex').toString(),
  );
  return [bytes.replaceAll(/\\([^0-9A-Fa-f])/g, '$1'), value];
}

async function byName(directory: Directory, template: string, user: string, password: string): Promise<Known | false> {
  const name = bindName(template, user);
  return name !== null && (await directory.bind(name, password)) ? { user } : false;
}

async function bySearch(
  directory: Directory,
  { base, filter, reader, userAttribute, groupAttribute }: Extract<FindUser, { readonly kind: 'search' }>,
  user: string,
  password: string,
): Promise<Known | false> {
  if (reader !== null && !(await directory.bind(reader.name, reader.password())))
    throw new Error('bind_dn or its password is not valid');
  const attributes = groupAttribute === null ? [userAttribute] : [userAttribute, groupAttribute];
  const wanted = filter.replaceAll('{user}', () => escapeFilter(user));
  const [entry, another] = await directory.search(base, wanted, attributes);
  if (another !== undefined) throw new Error('the filter finds more than one entry for a user');
  // An unknown user takes as many round trips, or the time would reveal which users exist.
  const good = await directory.bind(entry?.dn ?? `cn=${randomUUID()},${base}`, password);
  if (entry === undefined || !good) return false;
  const name = nameAmong(entry.values(userAttribute), user);
  if (name === undefined) throw new Error(`an entry has no ${userAttribute}`);
  const groups = groupAttribute === null ? [] : entry.values(groupAttribute).flatMap(groupNames);
  return { user: name, ...(groups.length > 0 && { groups }) };
}

export function createLdap({ servers, find, atOnce, queue, refused, log }: LdapOptions): Backend {
  const slots = createSemaphore(atOnce, queue);
  const lastLogged = new Map<string, number>();
  /** The server that answered last, so that one that is down is not tried first each time. */
  let first = 0;
  /** When all of them last failed. */
  let failedAt = -Infinity;

  const tell = (line: string): void => {
    const now = performance.now();
    if (now - (lastLogged.get(line) ?? -Infinity) < TELL_AGAIN) return;
    lastLogged.set(line, now);
    log(line);
  };

  const ask = async (user: string, password: string): Promise<Known | false | null> => {
    const from = first;
    for (let i = 0; i < servers.length; i += 1) {
      const at = (from + i) % servers.length;
      const server = servers[at];
      if (server === undefined) continue;
      try {
        const known = await converse(server, (directory) =>
          find.kind === 'name'
            ? byName(directory, find.name, user, password)
            : bySearch(directory, find, user, password),
        );
        first = at;
        return known;
      } catch (error) {
        tell(`passwords cannot be checked by ${server.url}: ${whyOf(error)}; correct clients.authentication.ldap`);
      }
    }
    failedAt = performance.now();
    return null;
  };

  return {
    countedBy: (user) => foldedName(user) ?? user,
    async verify({ user: typed, password }) {
      const user = foldedName(typed);
      if (user === null || password === '') return false;
      const asked = performance.now();
      const done = await slots.acquire();
      if (done === null) {
        refused();
        return null;
      }
      try {
        // Checks that were waiting when all servers failed do not try again.
        return failedAt > asked ? null : await ask(user, password);
      } finally {
        done();
      }
    },
  };
}
