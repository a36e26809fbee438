/** Secrets in files of their own: never in the configuration, which people show around. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { readGuarded } from './key-files.ts';
import { publish } from './publish.ts';

const BYTES = 32;

/**
 * The key that signed contexts are made with, and checked with on the assistant's side: 32 bytes, in hexadecimal in the
 * file `name` of the folder `dir`. Made on the first start.
 *
 * @throws {ConfigError} where the file is not ours to read or write, can be read by others, or holds something else.
 */
export async function openSecret(dir: string, name: string): Promise<Buffer> {
  const file = join(dir, name);
  await publish(file, `${randomBytes(BYTES).toString('hex')}\n`, 0o600);
  const text = readGuarded(file, 'the secret of signed contexts').trim();
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new ConfigError(`${file}: not 64 hexadecimal digits: remove it to have a new one made`);
  return Buffer.from(text, 'hex');
}

/**
 * The bearer token in a file: its one line.
 *
 * @throws {ConfigError} where others can read the file, or the token could be guessed or not be sent.
 */
export function readToken(file: string): string {
  const token = readGuarded(file, 'the token of the admin port').trim();
  if (/^[!-~]{16,}$/.test(token)) return token;
  throw new ConfigError(`${file}: the token needs 16 or more printable characters on one line, without spaces`);
}
