/** The part of sallyport.yaml about the directory (LDAP). */
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { readNamedFile } from './named-file.ts';
import { duration, line, oneOrMany, strict } from './scalars.ts';

export interface LdapSettings {
  /** `ldaps://host:port`; `ldap://host:port` with STARTTLS. */
  readonly urls: readonly string[];
  /** CAs of the servers' certificates; null: those of Node.js. */
  readonly caFile: string | null;
  /** Milliseconds for a check at one server. */
  readonly timeout: number;
  /** The name to bind with, containing `{user}`; with a search, the account that searches, or null. */
  readonly bindDn: string | null;
  /** Password of the account that searches. */
  readonly passwordFile: string | null;
  readonly search: {
    readonly base: string;
    readonly filter: string;
    readonly userAttribute: string;
    readonly groupAttribute: string | null;
  } | null;
}

const attribute = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'an attribute is written as a name such as uid or sAMAccountName');

const url = line.refine(
  (text) => /^ldaps?:\/\/(?:\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/i.test(text) && URL.canParse(text),
  'a server is written ldaps://host or ldaps://host:port',
);

/** The first attribute that a filter compares with the user. */
const compared = /\(([A-Za-z][A-Za-z0-9-]{0,63})=\{user\}\)/;

function isFilter(text: string): boolean {
  let depth = 0;
  for (const { 0: paren, index } of text.matchAll(/[()]/g)) {
    if (depth === 0 && index > 0) return false;
    depth += paren === '(' ? 1 : -1;
  }
  return depth === 0 && text.startsWith('(') && text.endsWith(')') && compared.test(text);
}

const filter = line.refine(isFilter, 'a filter is in parentheses and contains {user}, such as (uid={user})');

const ldapKeys = strict({
  url: oneOrMany(url),
  starttls: z.boolean().default(false),
  ca_file: line.optional(),
  timeout: duration.prefault('5s'),
  bind_dn: line.optional(),
  password_file: line.optional(),
  base: line.optional(),
  filter: filter.optional(),
  user_attribute: attribute.optional(),
  group_attribute: attribute.optional(),
});

type Given = z.output<typeof ldapKeys>;

/** Keys that contradict each other, with a message. */
function faultOf(given: Given): readonly [key: keyof Given, message: string] | null {
  const { bind_dn: name, base, filter: wanted } = given;
  if (given.url.some((one) => one.toLowerCase().startsWith('ldap:') !== given.starttls))
    return ['url', 'passwords go over TLS only: write ldaps://, or ldap:// with "starttls: true"'];
  if ((base === undefined) !== (wanted === undefined))
    return [base === undefined ? 'filter' : 'base', 'a search needs both "base" and "filter"; add the other one'];
  if (base === undefined) {
    if (name?.includes('{user}') !== true || !/[=@\\]/.test(name))
      return ['bind_dn', 'without "base" and "filter" users bind as "bind_dn", such as uid={user},ou=people,dc=corp'];
    for (const key of ['password_file', 'user_attribute', 'group_attribute'] as const)
      if (given[key] !== undefined) return [key, `"${key}" belongs to a search; add "base" and "filter", or remove it`];
    return null;
  }
  if (name?.includes('{user}') === true)
    return ['bind_dn', 'with "base" and "filter", "bind_dn" is the account that searches, without {user}'];
  if ((name === undefined) !== (given.password_file === undefined))
    return [
      name === undefined ? 'password_file' : 'bind_dn',
      'the account that searches needs both "bind_dn" and "password_file"; write both',
    ];
  return null;
}

export const ldapSchema = ldapKeys.superRefine((given, context) => {
  const fault = faultOf(given);
  if (fault !== null) context.addIssue({ code: 'custom', path: [fault[0]], message: fault[1] });
});

/** @param path makes a path absolute. */
export function toLdap(given: Given, path: (name: string) => string): LdapSettings {
  const { base, filter: wanted } = given;
  return {
    urls: given.url,
    caFile: given.ca_file === undefined ? null : path(given.ca_file),
    timeout: given.timeout,
    bindDn: given.bind_dn ?? null,
    passwordFile: given.password_file === undefined ? null : path(given.password_file),
    search:
      base === undefined || wanted === undefined
        ? null
        : {
            base,
            filter: wanted,
            userAttribute: given.user_attribute ?? compared.exec(wanted)?.[1] ?? '',
            groupAttribute: given.group_attribute ?? null,
          },
  };
}

function isCertificate(pem: Buffer): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** @throws {ConfigError} for a file without a certificate. */
export function readLdapAuthorities(file: string): Buffer {
  const key = 'clients.authentication.ldap.ca_file';
  const pem = readNamedFile(file, key);
  if (!isCertificate(pem)) throw new ConfigError(`${file}: holds no certificate in PEM form; correct ${key}`);
  return pem;
}
