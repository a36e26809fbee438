/** Checks whether the directory (LDAP) answers, accepts its account, and finds users. */
import { randomUUID } from 'node:crypto';
import { readPassword } from '../../certificates/key-files.ts';
import { counted } from '../../config/counted.ts';
import { readLdapAuthorities, type LdapSettings } from '../../config/ldap-schema.ts';
import type { Config } from '../../config/schema.ts';
import { ConfigError } from '../../errors.ts';
import { escapeFilter, groupNames, nameAmong } from '../../identify/ldap.ts';
import { converse, whyOf, type Directory } from '../../identify/ldap-session.ts';
import { bad, good, warning, type Finding } from './finding.ts';

/** A server that answered, but not usefully. */
class Unfit extends Error {
  readonly cure: string;

  constructor(message: string, cure: string) {
    super(message);
    this.cure = cure;
  }
}

const key = (name: string): string => `clients.authentication.ldap.${name}`;

const noSuchObject = 'it answers with LDAP result 32';

/** Why a server could not be queried, by words of the error. */
const cures: readonly (readonly [RegExp, string])[] = [
  [/ALTNAME|Hostname\/IP/i, `name the server in ${key('url')} as its certificate does`],
  [/EXPIRED|NOT_YET_VALID/, 'have the certificate of the directory renewed, and check the clock of this machine'],
  [/CERT|ISSUER|SELF_SIGNED|VERIFY|unable to/i, `name the authority of its certificate in ${key('ca_file')}`],
  [/SSL|EPROTO|TLS/i, `is this its TLS port? ldaps:// is usually 636; with ldap:// write "starttls: true"`],
  [
    /ECONN|ENOTFOUND|EAI_|EHOST|ENET|TIMEDOUT|no answer|hung up/i,
    `correct ${key('url')}, or let it through the firewall`,
  ],
];

function cureOf(why: string): string {
  const [, cure] = cures.find(([pattern]) => pattern.test(why)) ?? [];
  return cure ?? `correct ${key('url')} and the keys around it; the log of the directory says more`;
}

async function letIn(directory: Directory, { bindDn, passwordFile }: LdapSettings): Promise<void> {
  if (bindDn === null || passwordFile === null) return;
  const password = readPassword(passwordFile, 'the password of the directory');
  if (await directory.bind(bindDn, password)) return;
  throw new Unfit(
    `it does not let ${bindDn} in`,
    `correct ${key('bind_dn')} or the password in ${passwordFile}; is the account locked?`,
  );
}

/** What it says of a user, or of a random one if none is given, to try base and filter. */
async function lookFor(
  directory: Directory,
  { base, filter, userAttribute, groupAttribute }: NonNullable<LdapSettings['search']>,
  user: string | undefined,
): Promise<string> {
  const wanted = filter.replaceAll('{user}', () => escapeFilter(user ?? randomUUID()));
  const attributes = groupAttribute === null ? [userAttribute] : [userAttribute, groupAttribute];
  const found = await directory.search(base, wanted, attributes).catch((error: unknown) => {
    if (whyOf(error) !== noSuchObject) throw error;
    throw new Unfit(`it does not show ${base}`, `correct ${key('base')}, or let ${key('bind_dn')} read there`);
  });
  if (user === undefined) return `and searches ${base}; --user NAME shows what it says about a user`;
  const [entry, another] = found;
  if (entry === undefined)
    throw new Unfit(`it finds no "${user}" below ${base}`, `correct ${key('base')} or ${key('filter')}`);
  if (another !== undefined)
    throw new Unfit(`it finds more than one entry for "${user}"`, `make ${key('filter')} find one entry for a user`);
  const name = nameAmong(entry.values(userAttribute), user);
  if (name === undefined)
    throw new Unfit(`${entry.dn} has no ${userAttribute}`, `correct ${key('user_attribute')}, or let it be read`);
  const groups = groupAttribute === null ? [] : entry.values(groupAttribute).flatMap(groupNames);
  const known = groupAttribute === null ? 'groups are not read' : `groups: ${groups.join('; ') || 'none'}`;
  return `and finds ${entry.dn}: rules know it as ${name}, in upper or lower case; ${known}`;
}

async function server(settings: LdapSettings, url: string, user: string | undefined): Promise<Finding> {
  const { search, bindDn, caFile, timeout } = settings;
  const check = 'directory';
  try {
    const ca = caFile === null ? null : readLdapAuthorities(caFile);
    const says = await converse({ url, ca, timeout }, async (directory) => {
      if (search === null) {
        // Without an account of our own, a bind that fails is an answer too.
        await directory.bind((bindDn ?? '').replaceAll('{user}', randomUUID()), randomUUID());
        return 'users bind with their own names, so no name was tried';
      }
      await letIn(directory, settings);
      const looked = await lookFor(directory, search, user);
      return bindDn === null ? looked.replace('and ', '') : `lets ${bindDn} in ${looked}`;
    });
    return good(check, `${url} answers, ${says}`);
  } catch (error) {
    if (error instanceof Unfit) return bad(check, `${url}: ${error.message}`, error.cure);
    if (error instanceof ConfigError) return bad(check, error.message, 'correct the file, or its owner and mode');
    const why = whyOf(error);
    return bad(check, `${url} cannot be queried: ${why}`, cureOf(why));
  }
}

/**
 * One finding for each server; none without a directory. Only the password of the searching account is used.
 *
 * @param user whom to search for, as typed.
 */
export async function directories({ clients }: Pick<Config, 'clients'>, user: string | undefined): Promise<Finding[]> {
  const source = clients.authentication?.source;
  if (source?.kind !== 'ldap') {
    return user === undefined
      ? []
      : [warning('directory', `"${user}" was not looked up: no directory is configured`, `set ${key('url')}`)];
  }
  const found = await Promise.all(source.urls.map((url) => server(source, url, user)));
  const failed = found.filter(({ status }) => status === 'bad').length;
  if (failed === 0 || failed === found.length) return found;
  // Other servers work, so this is only a warning.
  const rest = `${counted(found.length - failed, 'other')} can still be queried`;
  return found.map((one) => (one.status === 'bad' ? warning(one.check, `${one.says}; ${rest}`, one.cure ?? '') : one));
}
