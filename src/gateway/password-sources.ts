/** Opens, follows and closes the password source that the configuration names. */
import { unwatchFile, watchFile } from 'node:fs';
import { readPassword } from '../certificates/key-files.ts';
import type { Clients } from '../config/clients-schema.ts';
import { counted } from '../config/counted.ts';
import { readLdapAuthorities, type LdapSettings } from '../config/ldap-schema.ts';
import { readPasswords } from '../config/password-file.ts';
import { ConfigError, describe } from '../errors.ts';
import type { Backend } from '../identify/credentials.ts';
import { createLdap, type FindUser } from '../identify/ldap.ts';
import type { PasswordPool } from '../identify/password-pool.ts';
import { createPasswords } from '../identify/passwords.ts';

/** Milliseconds between checks of the password file. Polled, because a swapped mount sends no events. */
const POLL_EVERY = 2_000;
/** LDAP operations at once, and checks that may wait for one. */
const AT_ONCE = 16;
const QUEUE = 200;

export interface PasswordSource {
  readonly backend: Backend;
  readonly close: () => void;
}

export interface PasswordSourceOptions {
  readonly pool: PasswordPool;
  readonly log: (line: string) => void;
  /** Called for each check that is refused because the queue is full. */
  readonly queueFull: () => void;
  /** Called when users or passwords have changed. */
  readonly changed: () => void;
}

function openFile(file: string, { pool, log, changed }: PasswordSourceOptions): PasswordSource {
  let users = readPasswords(file);
  const look = (): void => {
    try {
      users = readPasswords(file);
      changed();
      log(`passwords: ${counted(users.size, 'user')}`);
    } catch (error) {
      log(`passwords are unchanged: ${error instanceof ConfigError ? error.message : describe(error)}`);
    }
  };
  watchFile(file, { interval: POLL_EVERY, persistent: false }, look);
  return { backend: createPasswords(() => users, pool), close: () => unwatchFile(file, look) };
}

function findOf({ bindDn, passwordFile, search }: LdapSettings): FindUser {
  if (search === null) return { kind: 'name', name: bindDn ?? '' };
  // Read for each check: secrets are rotated while the proxy runs.
  const password = (): string => readPassword(passwordFile ?? '', 'the password of the directory');
  return { kind: 'search', ...search, reader: bindDn === null ? null : { name: bindDn, password } };
}

function openLdap(settings: LdapSettings, { log, queueFull }: PasswordSourceOptions): PasswordSource {
  const ca = settings.caFile === null ? null : readLdapAuthorities(settings.caFile);
  const backend = createLdap({
    servers: settings.urls.map((url) => ({ url, ca, timeout: settings.timeout })),
    find: findOf(settings),
    atOnce: AT_ONCE,
    queue: QUEUE,
    refused: queueFull,
    log,
  });
  return { backend, close: () => undefined };
}

/** @throws {ConfigError} for a file that cannot be used. */
export function openPasswords(
  { source }: NonNullable<Clients['authentication']>,
  options: PasswordSourceOptions,
): PasswordSource {
  return source.kind === 'file' ? openFile(source.file, options) : openLdap(source, options);
}
