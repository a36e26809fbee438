/**
 * Checks credentials. Verdicts are cached, because checks are expensive, and wrong passwords are limited. The limit
 * also applies to a right password with a cached verdict: if only wrong passwords were refused, a client over the limit
 * could go on guessing until one was accepted.
 */
import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { readBasic, type BasicCredentials } from './basic.ts';

/** The user that credentials belong to. */
export interface Known {
  /** As rules name the user, which may differ from what was typed. */
  readonly user: string;
  /** The user's groups, as far as the backend knows them. */
  readonly groups?: readonly string[];
}

export type Verdict =
  | ({ readonly kind: 'user' } & Known)
  | { readonly kind: 'wrong' }
  /** There were too many wrong passwords before. */
  | { readonly kind: 'throttled' }
  /** The password source does not answer. */
  | { readonly kind: 'unavailable' };

/** A password source. */
export interface Backend {
  /** False for a wrong password, null if it cannot tell. Takes as long for an unknown user. Never rejects. */
  readonly verify: (credentials: BasicCredentials) => Promise<Known | false | null>;
  /** Key by which a user's attempts are counted: the same for all spellings of the name. */
  readonly countedBy: (user: string) => string;
}

/** A counted attempt. After a wrong password, neither function is called. */
export interface Attempt {
  /** The password was right: the attempt is not counted, and the client is now known for this user. */
  readonly right: () => void;
  /** The password could not be checked: the attempt is not counted. */
  readonly giveBack: () => void;
}

/** Limits wrong passwords per client and per user. */
export interface Attempts {
  /** Counts an attempt. Null: this client has none left for this user. */
  readonly take: (client: string, user: string) => Attempt | null;
  /** Whether this client has an attempt left for this user, so that a cached verdict may be used. Counts nothing. */
  readonly mayUse: (client: string, user: string) => boolean;
}

export interface CredentialsOptions {
  readonly backend: Backend;
  readonly attempts: Attempts;
  /** Milliseconds for which a verdict is cached. */
  readonly cacheTime: number;
  /** Called with each verdict. */
  readonly given: (kind: Verdict['kind']) => void;
}

export interface Credentials {
  /** Judges a Proxy-Authorization field. @param client key by which a client's attempts are counted. */
  readonly check: (field: string, client: string) => Verdict | Promise<Verdict>;
  /** Clears the cache: users or passwords have changed. */
  readonly forget: () => void;
}

const REMEMBERED = 10_000;
/**
 * Milliseconds. A program that keeps sending the same wrong password makes no new guess, and must not make the
 * directory lock the account.
 */
const WRONG_FOR = 60_000;

interface Remembered {
  readonly verdict: Verdict;
  readonly countedBy: string;
}

const wrong: Verdict = { kind: 'wrong' };
const throttled: Verdict = { kind: 'throttled' };
const unavailable: Verdict = { kind: 'unavailable' };

export function createCredentials({ backend, attempts, cacheTime, given }: CredentialsOptions): Credentials {
  // Neither passwords nor anything from which they could be guessed outside this process stay in memory. A key object,
  // because one would be made from bytes for each request.
  const secret = createSecretKey(randomBytes(32));
  const remembered = new LRUCache<string, Remembered>({ max: REMEMBERED, ttl: cacheTime });
  const pending = new Map<string, Promise<Verdict>>();
  let generation = 0;

  const judge = async (key: string, credentials: BasicCredentials, client: string): Promise<Verdict> => {
    const countedBy = backend.countedBy(credentials.user);
    const attempt = attempts.take(client, countedBy);
    if (attempt === null) return throttled;
    const asked = generation;
    const known = await backend.verify(credentials);
    if (known === null) {
      attempt.giveBack();
      return unavailable;
    }
    if (known !== false) attempt.right();
    const verdict: Verdict = known === false ? wrong : { kind: 'user', ...known };
    const ttl = known === false ? { ttl: Math.min(WRONG_FOR, cacheTime) } : {};
    if (asked === generation) remembered.set(key, { verdict, countedBy }, ttl);
    return verdict;
  };

  const told = (verdict: Verdict): Verdict => {
    given(verdict.kind);
    return verdict;
  };

  return {
    check(field, client) {
      const credentials = readBasic(field);
      if (credentials === null) return told(wrong);
      const key = createHmac('sha256', secret).update(`${credentials.user}:${credentials.password}`).digest('base64');
      const known = remembered.get(key);
      if (known !== undefined) {
        const good = known.verdict.kind !== 'user' || attempts.mayUse(client, known.countedBy);
        return told(good ? known.verdict : throttled);
      }
      // A browser opens six connections at once, with the same credentials. Those of other clients are counted
      // separately.
      const one = `${client} ${key}`;
      let verdict = pending.get(one);
      if (verdict === undefined) {
        verdict = judge(key, credentials, client).finally(() => pending.delete(one));
        pending.set(one, verdict);
      }
      return verdict.then(told);
    },
    forget() {
      generation += 1;
      remembered.clear();
    },
  };
}
