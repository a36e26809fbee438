/** A file of users and password hashes, as written by `htpasswd -B`. */
import { ConfigError } from '../errors.ts';
import { readNamedFile } from './named-file.ts';

const bcrypt = /^\$2[abxy]\$(?:0[4-9]|1[0-9])\$[./0-9A-Za-z]{53}$/;
const argon2 = /^\$argon2(?:id|i|d)\$v=19\$m=\d{1,7},t=\d{1,3},p=\d{1,2}\$[+/0-9A-Za-z]{11,86}\$[+/0-9A-Za-z]{16,86}$/;

/** Anybody can trigger a check of a hash, so it must not take seconds or hundreds of MiB. */
function isDear(hash: string): boolean {
  const [, cost] = /^\$2[abxy]\$(\d\d)\$/.exec(hash) ?? [];
  if (cost !== undefined) return Number(cost) > 14;
  const [, memory = '', passes = ''] = /\$m=(\d+),t=(\d+),/.exec(hash) ?? [];
  return Number(memory) > 256 * 1024 || Number(memory) * Number(passes) > 1024 * 1024;
}

function faultOf(user: string, hash: string, known: ReadonlyMap<string, string>): string | null {
  if (user === '' || /\p{Cc}/u.test(user)) return 'a line is "user:hash"; correct it';
  if (known.has(user)) return 'this user is already in the file; remove one of the lines';
  if (bcrypt.test(hash) || argon2.test(hash)) {
    if (!isDear(hash)) return null;
    return 'checking this hash takes seconds or over 256 MiB; set the password again with "sallyport hash-password USER"';
  }
  // Never the line itself: the part after the colon may be a plain password.
  return 'the hash is neither bcrypt nor argon2; set the password again with "sallyport hash-password USER"';
}

/**
 * Users and their hashes. Empty lines, and lines that begin with `#`, are ignored.
 *
 * @throws {ConfigError} naming the line number, but nothing of its content.
 */
export function readPasswords(file: string): ReadonlyMap<string, string> {
  const text = readNamedFile(file, 'clients.authentication.password_file').toString();
  const users = new Map<string, string>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const [user, hash] = [line.slice(0, Math.max(0, colon)), line.slice(colon + 1)];
    const fault = faultOf(user, hash, users);
    if (fault !== null) throw new ConfigError(`${file}:${index + 1}: ${fault}`);
    users.set(user, hash);
  }
  if (users.size === 0) throw new ConfigError(`${file}: contains no user; add one with "sallyport hash-password USER"`);
  return users;
}
