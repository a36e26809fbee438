/**
 * Whether credentials are good: remembered for a while, so that the dear check is made once and not for each request,
 * and held to so many wrong ones of a client and of a user.
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

/** So many tries, and then one by one as time goes by. */
export interface Attempts {
  /** False: none is left. */
  readonly take: (key: string) => boolean;
  /** One was not meant to count. */
  readonly giveBack: (key: string) => void;
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
/** Milliseconds: a wrong password that a program sends again and again is not checked again and again. */
const WRONG_FOR = 10_000;

const wrong: Verdict = { kind: 'wrong' };
const throttled: Verdict = { kind: 'throttled' };
const unavailable: Verdict = { kind: 'unavailable' };

export function createCredentials({ backend, attempts, cacheTime, given }: CredentialsOptions): Credentials {
  // Neither passwords nor anything from which they could be guessed outside this process stay in memory. A key object,
  // because one would be made from bytes for each request.
  const secret = createSecretKey(randomBytes(32));
  const remembered = new LRUCache<string, Verdict>({ max: REMEMBERED, ttl: cacheTime });
  const pending = new Map<string, Promise<Verdict>>();
  let generation = 0;

  const judge = async (key: string, credentials: BasicCredentials, client: string): Promise<Verdict> => {
    const keys = [`client ${client}`, `user ${backend.countedBy(credentials.user)}`] as const;
    const [ofClient, ofUser] = keys;
    // In this order: names that a client without a try left makes up must not push others out of the memory for them.
    if (!attempts.take(ofClient)) return throttled;
    if (!attempts.take(ofUser)) {
      attempts.giveBack(ofClient);
      return throttled;
    }
    const asked = generation;
    const known = await backend.verify(credentials);
    if (known !== false) keys.forEach(attempts.giveBack);
    if (known === null) return unavailable;
    const verdict: Verdict = known === false ? wrong : { kind: 'user', ...known };
    const ttl = known === false ? { ttl: Math.min(WRONG_FOR, cacheTime) } : {};
    if (asked === generation) remembered.set(key, verdict, ttl);
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
      if (known !== undefined) return told(known);
      // A browser opens six connections at once, with the same credentials.
      let verdict = pending.get(key);
      if (verdict === undefined) {
        verdict = judge(key, credentials, client).finally(() => pending.delete(key));
        pending.set(key, verdict);
      }
      return verdict.then(told);
    },
    forget() {
      generation += 1;
      remembered.clear();
    },
  };
}
