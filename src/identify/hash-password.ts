/** Makes the hashes that {@link file://./password-worker.mjs} verifies. */
import { randomBytes } from 'node:crypto';
import { argon2id } from 'hash-wasm';

/** Argon2id with the minimum of OWASP's Password Storage Cheat Sheet: 19 MiB, two iterations, one lane. */
const cost = { iterations: 2, memorySize: 19_456, parallelism: 1, hashLength: 32 } as const;

/** A hash for a password file, with its own salt. */
export function hashPassword(password: string): Promise<string> {
  return argon2id({ ...cost, password, salt: randomBytes(16), outputType: 'encoded' });
}
