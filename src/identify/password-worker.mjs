/**
 * Checks passwords against their hashes on a thread of its own: one takes 50 ms and more, in which the event loop would
 * serve nobody. The one file of JavaScript, because Node.js 20 starts no thread from TypeScript.
 */
import { argon2Verify, bcryptVerify } from 'hash-wasm';
import { parentPort } from 'node:worker_threads';

/** @typedef {{ readonly password: string, readonly hash: string }} Job */

/** @param {Job} job */
async function matches({ password, hash }) {
  try {
    if (hash.startsWith('$argon2')) return await argon2Verify({ password, hash });
    return await bcryptVerify({ password, hash });
  } catch {
    return false;
  }
}

parentPort?.on('message', (/** @type {Job} */ job) => {
  void matches(job).then((good) => parentPort?.postMessage(good));
});
