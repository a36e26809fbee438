/** Password files of the tests; the passwords are the users' names with "-secret" behind. */
import { argon2id, bcrypt } from 'hash-wasm';
import { randomBytes } from 'node:crypto';

export async function bcryptLine(user: string, costFactor = 4): Promise<string> {
  const hash = await bcrypt({ password: `${user}-secret`, salt: randomBytes(16), costFactor, outputType: 'encoded' });
  return `${user}:${hash}\n`;
}

export async function argon2Line(user: string): Promise<string> {
  const hash = await argon2id({
    password: `${user}-secret`,
    salt: randomBytes(16),
    iterations: 1,
    parallelism: 1,
    memorySize: 64,
    hashLength: 32,
    outputType: 'encoded',
  });
  return `${user}:${hash}\n`;
}

/** The value of a Proxy-Authorization field. */
export function basic(user: string, password = `${user}-secret`): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
