/** What a policy says of people whom a running proxy never learns of: users and groups that nobody proves or names. */
import { endOf, isPause } from './exception-line.ts';
import type { Warning } from './lint.ts';
import { shownPath } from './problem.ts';
import type { Config } from './schema.ts';

/** Whether clients can have a user: by credentials, a certificate, or a trusted proxy's word. */
function hearsOfUsers({ clients, proxyTls }: Pick<Config, 'clients' | 'proxyTls'>): boolean {
  const shown = proxyTls !== null && proxyTls.clientCaFile !== null;
  return clients.authentication !== null || clients.userField !== null || shown;
}

/** Whether a running proxy learns names of groups: from a trusted proxy in front, or from a directory. */
export function hearsOfGroups({ groupsField, authentication }: Config['clients']): boolean {
  const source = authentication?.source;
  return groupsField !== null || (source?.kind === 'ldap' && source.search?.groupAttribute != null);
}

/** @param now epoch milliseconds; what ended before is history. */
export function lintPeople(config: Config, now: number): Warning[] {
  const { policyOfFile, policyFile, stored, exceptionsFile } = config;
  const settings = shownPath(config.file);
  const groups = Object.entries(policyOfFile.groups);
  const found: Warning[] = [];
  if (!hearsOfUsers(config)) {
    const cure = `no client has a user name: set clients.authentication, clients.user_field or listen.proxy_tls.client_ca_file in ${settings}`;
    for (const [id, { users }] of groups) {
      if (users.length === 0) continue;
      const message = `the group "${id}" names users, but ${cure}`;
      found.push({ file: policyFile, path: ['groups', id, 'users'], onKey: true, message });
    }
    for (const [index, entry] of stored.contents.lines) {
      if (isPause(entry) || entry.users === undefined || endOf(entry) <= now) continue;
      const message = `the exception "${entry.id}" is for users, but ${cure}`;
      found.push({ file: exceptionsFile, path: [], position: { line: index + 1, column: 1 }, message });
    }
  }
  if (!hearsOfGroups(config.clients)) {
    for (const [id, { forwarded }] of groups) {
      if (forwarded.length === 0) continue;
      const message = `the group "${id}" is told by "forwarded", but nobody is believed: set clients.groups_field or clients.authentication.ldap.group_attribute in ${settings}`;
      found.push({ file: policyFile, path: ['groups', id, 'forwarded'], onKey: true, message });
    }
  }
  return found;
}
