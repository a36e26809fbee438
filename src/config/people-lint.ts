/** Warns of users and groups in a policy that a running proxy can never learn of. */
import { endOf, isPause } from './exception-line.ts';
import type { Warning } from './lint.ts';
import { readPasswords } from './password-file.ts';
import { shownPath } from './problem.ts';
import type { Config } from './schema.ts';
import { ConfigError } from '../errors.ts';
import { foldName } from '../user-name.ts';

/** Whether clients can have a user: by credentials, a certificate, or the field of a trusted proxy. */
function hearsOfUsers({ clients, proxyTls }: Pick<Config, 'clients' | 'proxyTls'>): boolean {
  const shown = proxyTls !== null && proxyTls.clientCaFile !== null;
  return clients.authentication !== null || clients.userField !== null || shown;
}

/** Whether clients can have groups: from a trusted proxy, or from a directory. */
export function hearsOfGroups({ groupsField, authentication }: Config['clients']): boolean {
  const source = authentication?.source;
  return groupsField !== null || (source?.kind === 'ldap' && source.search?.groupAttribute != null);
}

interface Named {
  /** Where the names are, such as `the group "x"`. */
  readonly whose: string;
  readonly users: readonly string[];
  readonly place: Omit<Warning, 'message'>;
}

/** All users that the policy, or an exception that has not ended, names. */
function usersNamed({ policyOfFile, policyFile, stored, exceptionsFile }: Config, now: number): Named[] {
  return [
    ...Object.entries(policyOfFile.groups).map(([id, { users }]) => ({
      whose: `the group "${id}"`,
      users,
      place: { file: policyFile, path: ['groups', id, 'users'], onKey: true },
    })),
    ...[...stored.contents.lines].flatMap(([index, entry]) =>
      isPause(entry) || endOf(entry) <= now
        ? []
        : [
            {
              whose: `the exception "${entry.id}"`,
              users: entry.users ?? [],
              place: { file: exceptionsFile, path: [], position: { line: index + 1, column: 1 } },
            },
          ],
    ),
  ].filter(({ users }) => users.length > 0);
}

/** The users of the password file; null if users also come from elsewhere, or the file is not readable. */
function onlyUsers({ clients, proxyTls }: Config): { readonly file: string; readonly users: readonly string[] } | null {
  const source = clients.authentication?.source;
  if (source?.kind !== 'file' || clients.userField !== null || (proxyTls?.clientCaFile ?? null) !== null) return null;
  try {
    return { file: source.file, users: [...readPasswords(source.file).keys()] };
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

/** Number of names in one line. */
const SHOWN = 5;

function quoted(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => `"${name}"`);
  const more = names.length - shown.length;
  return `${shown.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
}

/** Users that no client can ever be. */
function strangers(config: Config, named: readonly Named[]): Warning[] {
  const known = onlyUsers(config);
  if (known === null) return [];
  const file = shownPath(known.file);
  const byName = new Map<string, readonly string[]>();
  for (const name of known.users) byName.set(foldName(name), [...(byName.get(foldName(name)) ?? []), name]);
  const path = ['clients', 'authentication', 'password_file'];
  const twins = [...byName.values()].filter((names) => names.length > 1);
  return [
    ...twins.map((names) => ({
      file: config.file,
      path,
      message: `${file} has the users ${names.map((name) => `"${name}"`).join(' and ')}: policies take them for one; rename one of them`,
    })),
    ...named.flatMap(({ whose, users, place }) => {
      const missing = users.filter((name) => !byName.has(foldName(name)));
      if (missing.length === 0) return [];
      const one = missing.length === 1;
      const cure = one ? 'add the user there, or correct the name' : 'add the users there, or correct the names';
      const message = `${whose} names ${quoted(missing)}, who ${one ? 'is' : 'are'} not in ${file}, where all user names are; ${cure}`;
      return [{ ...place, message }];
    }),
  ];
}

/** Names of forwarded groups that differ only in case, and may have been meant as different groups. */
function spelledTwice({ policyOfFile, policyFile }: Config): Warning[] {
  const first = new Map<string, { readonly id: string; readonly name: string }>();
  return Object.entries(policyOfFile.groups).flatMap(([id, { forwarded }]) =>
    forwarded.flatMap((name) => {
      const before = first.get(foldName(name));
      if (before === undefined) first.set(foldName(name), { id, name });
      if (before === undefined || before.name === name || before.id === id) return [];
      const message = `the group "${id}" has "${name}" as "forwarded", and the group "${before.id}" has "${before.name}": names are compared regardless of case, so their members are in both groups; write both alike if that is meant, or rename one of them`;
      return [{ file: policyFile, path: ['groups', id, 'forwarded'], onKey: true, message }];
    }),
  );
}

/** @param now epoch milliseconds; entries that ended before are ignored. */
export function lintPeople(config: Config, now: number): Warning[] {
  const { policyOfFile, policyFile } = config;
  const settings = shownPath(config.file);
  const groups = Object.entries(policyOfFile.groups);
  const found: Warning[] = spelledTwice(config);
  const named = usersNamed(config, now);
  if (hearsOfUsers(config)) found.push(...strangers(config, named));
  else {
    const cure = `no client has a user name: set clients.authentication, clients.user_field or listen.proxy_tls.client_ca_file in ${settings}`;
    for (const { whose, place } of named) {
      found.push({ ...place, message: `${whose} names users, but ${cure}` });
    }
  }
  if (!hearsOfGroups(config.clients)) {
    for (const [id, { forwarded }] of groups) {
      if (forwarded.length === 0) continue;
      const message = `the group "${id}" depends on "forwarded", but nothing is trusted to supply group names: set clients.groups_field or clients.authentication.ldap.group_attribute in ${settings}`;
      found.push({ file: policyFile, path: ['groups', id, 'forwarded'], onKey: true, message });
    }
  }
  return found;
}
