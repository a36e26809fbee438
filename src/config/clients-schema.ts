/** The part of sallyport.yaml about who may use the proxy. */
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import type { HostKind } from '../flow.ts';
import { parseHost } from '../listen/target.ts';
import { ldapSchema, toLdap, type LdapSettings } from './ldap-schema.ts';
import { parseAddress, parseCidr, type Address } from './network.ts';
import { duration, line, oneOrMany, read, strict } from './scalars.ts';

/** A request field, by its lower-case name, and the networks that are trusted to send it. */
export interface VouchedField {
  readonly name: string;
  readonly trusted: readonly string[];
}

export interface Clients {
  /** `address/bits`. */
  readonly networks: readonly string[];
  /** Null if nobody has to authenticate. */
  readonly authentication: {
    /** The password source. */
    readonly source: { readonly kind: 'file'; readonly file: string } | ({ readonly kind: 'ldap' } & LdapSettings);
    /** Whether requests without credentials get a 407. */
    readonly required: boolean;
    /** Milliseconds for which a verdict is cached. */
    readonly cache: number;
    /** Wrong passwords of one client, or for one user, in a window. */
    readonly attempts: number;
    /** Milliseconds. */
    readonly attemptsWindow: number;
  } | null;
  /** Field with the user's name, and the networks that are trusted to send it. */
  readonly userField: VouchedField | null;
  /** Field with the names of the user's groups, separated by commas. */
  readonly groupsField: VouchedField | null;
}

export interface ProxyTlsSettings {
  readonly address: Address;
  /** The supplied certificate and its key. Null: our CA issues one for `serverNames`. */
  readonly files: { readonly cert: string; readonly key: string } | null;
  /** Empty if there are files. */
  readonly serverNames: readonly { readonly host: string; readonly kind: HostKind }[];
  /** CAs of client certificates; null: none are requested. */
  readonly clientCaFile: string | null;
  /** CRLs of these CAs; null if there are none. */
  readonly clientCrlFile: string | null;
  readonly clientCertificate: 'required' | 'optional';
  /** The name in a client certificate that identifies the user. */
  readonly userFrom: 'cn' | 'email' | 'upn';
  /** Whether proxy.pac lists this port: not at all, before the plain one, or alone. */
  readonly pac: 'never' | 'first' | 'only';
}

/** A name or address under which clients know the proxy. */
const serverName = read((text) => {
  if (text.includes('*')) throw new ConfigError(`"${text}" has a wildcard; write out each name of the proxy`);
  const { host, kind } = parseHost(text);
  return { host, kind };
});

export const network = read(parseCidr);

/** An address to listen on. A port alone, as other programs accept, does not say who may reach it. */
export const listenAddress = read(parseAddress, ({ input }) =>
  typeof input === 'number'
    ? `${input} is not an address to listen on; write 127.0.0.1:${input}, or 0.0.0.0:${input} for every address`
    : undefined,
);

/** A request field that has no meaning in HTTP itself. */
const fieldName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'a field name has letters, digits and hyphens, such as X-Forwarded-User')
  .transform((name) => name.toLowerCase());

const vouchedField = strict({ name: fieldName, trusted: z.array(network).min(1) });

export const clientsSchema = strict({
  networks: z.array(network).min(1).prefault(['0.0.0.0/0', '::/0']),
  authentication: strict({
    password_file: line.optional(),
    ldap: ldapSchema.optional(),
    required: z.boolean().default(true),
    cache: duration.prefault('5m'),
    attempts: z.number().int().min(1).max(1_000).default(10),
    attempts_window: duration.prefault('1m'),
  })
    .refine(
      ({ password_file: file, ldap }) => (file === undefined) !== (ldap === undefined),
      'users come from a "password_file" or from "ldap"; write one of the two',
    )
    .optional(),
  user_field: vouchedField.optional(),
  groups_field: vouchedField.optional(),
});

export const proxyTlsSchema = strict({
  address: listenAddress,
  cert_file: line.optional(),
  key_file: line.optional(),
  server_names: oneOrMany(serverName).optional(),
  client_ca_file: line.optional(),
  client_crl_file: line.optional(),
  client_certificate: z.enum(['required', 'optional']).default('required'),
  user_from: z.enum(['cn', 'email', 'upn']).default('cn'),
  pac: z.enum(['never', 'first', 'only']).default('never'),
}).superRefine((given, context) => {
  const { cert_file: cert, key_file: key, server_names: names } = given;
  const wrong = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
  if (names !== undefined && (cert ?? key) !== undefined)
    wrong(['server_names'], 'the certificate in "cert_file" has its own names; remove this key, or the files');
  if (names === undefined && (cert === undefined || key === undefined))
    wrong([], 'needs "cert_file" and "key_file", or "server_names" for a certificate from our own CA; add them');
  if (given.pac !== 'never' && given.address.port === 0)
    wrong(
      ['pac'],
      'proxy.pac cannot name port 0, for which the system chooses a port at each start; give "address" a port',
    );
  if (given.client_crl_file !== undefined && given.client_ca_file === undefined)
    wrong(
      ['client_crl_file'],
      'without "client_ca_file" clients present no certificate that could be revoked; add it, or remove this key',
    );
});

/** @param path makes a path absolute. */
export function toProxyTls(given: z.output<typeof proxyTlsSchema>, path: (name: string) => string): ProxyTlsSettings {
  const { cert_file: cert, key_file: key } = given;
  return {
    address: given.address,
    files: cert === undefined || key === undefined ? null : { cert: path(cert), key: path(key) },
    serverNames: given.server_names ?? [],
    clientCaFile: given.client_ca_file === undefined ? null : path(given.client_ca_file),
    clientCrlFile: given.client_crl_file === undefined ? null : path(given.client_crl_file),
    clientCertificate: given.client_certificate,
    userFrom: given.user_from,
    pac: given.pac,
  };
}

type Authentication = NonNullable<z.output<typeof clientsSchema>['authentication']>;

function toAuthentication(given: Authentication, path: (name: string) => string): Clients['authentication'] {
  const { password_file: file, ldap, required, cache, attempts, attempts_window: attemptsWindow } = given;
  const source =
    ldap === undefined
      ? { kind: 'file' as const, file: path(file ?? '') }
      : { kind: 'ldap' as const, ...toLdap(ldap, path) };
  return { source, required, cache, attempts, attemptsWindow };
}

/** @param path makes a path absolute. */
export function toClients(given: z.output<typeof clientsSchema>, path: (name: string) => string): Clients {
  const { networks, authentication, user_field: userField, groups_field: groupsField } = given;
  return {
    networks,
    authentication: authentication === undefined ? null : toAuthentication(authentication, path),
    userField: userField ?? null,
    groupsField: groupsField ?? null,
  };
}
