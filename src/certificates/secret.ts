/** Reads secrets, which have their own files because people share configuration files. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { readGuarded } from './key-files.ts';
import { publish } from './publish.ts';

const BYTES = 32;

/**
 * The key with which contexts are signed, and with which the assistant verifies them: 32 bytes, in hexadecimal in the
 * file `name` in `dir`. Created on the first start.
 *
 * @throws {ConfigError} if the file cannot be read or written, is readable by others, or has other contents.
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
 * The bearer token in `file`, on a single line.
 *
 * @throws {ConfigError} if the file is readable by others, or the token is too weak or cannot be sent.
 */
export function readToken(file: string): string {
  const token = readGuarded(file, 'the token of the admin port').trim();
  if (/^[!-~]{16,}$/.test(token)) return token;
  throw new ConfigError(`${file}: the token needs 16 or more printable characters on one line, without spaces`);
}
