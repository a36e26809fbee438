/** The secret that signed contexts are made with; in a file, so that the assistant's side can check them. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { readGuarded } from './key-files.ts';
import { publish } from './publish.ts';

const BYTES = 32;

/**
 * The 32 bytes in `dir`/`name`, in hexadecimal there; made on the first start.
 *
 * @throws {ConfigError} where the file is not ours to read or write, can be read by others, or holds something else.
 */
export async function openSecret(dir: string, name: string): Promise<Buffer> {
  const file = join(dir, name);
  await publish(file, `${randomBytes(BYTES).toString('hex')}\n`, 0o600);
  const text = (await readGuarded(file, 'the secret of signed contexts')).trim();
  if (!/^[0-9a-f]{64}$/.test(text)) throw new ConfigError(`${file}: not 64 hexadecimal digits: remove it to have a new one made`);
  return Buffer.from(text, 'hex');
}
