/** Makes the hashes that {@link file://./password-worker.mjs} checks. */
import { randomBytes } from 'node:crypto';
import { argon2id } from 'hash-wasm';

/** Argon2id with the least that OWASP's Password Storage Cheat Sheet asks for: 19 MiB, two rounds, one lane. */
const cost = { iterations: 2, memorySize: 19_456, parallelism: 1, hashLength: 32 } as const;

/** As a password file has it, with a salt of its own. */
export function hashPassword(password: string): Promise<string> {
  return argon2id({ ...cost, password, salt: randomBytes(16), outputType: 'encoded' });
}
