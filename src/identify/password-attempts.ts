/**
 * Limits wrong passwords, so that guessing is slow and nobody can lock a user out.
 *
 * A client from which a user has logged in before has a separate count for that user. All other clients share one count
 * for the user, and each of them also has one for all users together. This bounds the guesses for one user, whatever
 * the number of clients, and the guesses of one client, whatever the number of users, and neither keeps users from
 * logging in where they usually do. It follows OWASP's "Slow Down Online Guessing Attacks with Device Cookies", with
 * the client's address in place of the cookie, because programs that use a proxy keep no cookies for it.
 */
import { LRUCache } from 'lru-cache';
import type { Attempts } from './credentials.ts';

/** Milliseconds that a client stays known after a login: longer than most holidays. Addresses change hands. */
const KNOWN_FOR = 14 * 86_400_000;
/** Milliseconds between two reports of the same login to other processes. */
const TELL_AGAIN = 86_400_000;
/** Number of known pairs of a client and a user. Only users with a password can add one. */
const KNOWN = 50_000;

/** A user has logged in from a client. */
export interface Login {
  /** The client's key for limits. */
  readonly client: string;
  /** The user's key for limits. */
  readonly user: string;
}

export interface PasswordAttempts extends Attempts {
  /** Takes over a login that another process of this proxy has seen. */
  readonly know: (login: Login) => void;
}

/** A token bucket for each key. */
interface Rate {
  readonly take: (key: string) => boolean;
  readonly left: (key: string) => boolean;
  readonly giveBack: (key: string) => void;
}

export interface PasswordAttemptsOptions {
  /** Creates the token buckets for one kind of key. */
  readonly rate: () => Rate;
  /** Called for a login from a client that was not known for the user, at most once a day for each pair. */
  readonly loggedIn: (login: Login) => void;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
}

export function createPasswordAttempts({ rate, loggedIn, now }: PasswordAttemptsOptions): PasswordAttempts {
  // Separate memories, so that made-up user names evict no clients, and neither evicts the counts of known pairs.
  const [clients, users, pairs] = [rate(), rate(), rate()];
  /** When each pair stops being known, on the monotonic clock. */
  const known = new LRUCache<string, number>({ max: KNOWN });
  // No client has a space in it.
  const pairOf = ({ client, user }: Login): string => `${client} ${user}`;
  const isKnown = (pair: string): boolean => (known.get(pair) ?? -Infinity) > now();

  const know = (login: Login): void => void known.set(pairOf(login), now() + KNOWN_FOR);
  const learn = (login: Login): void => {
    const before = known.get(pairOf(login)) ?? -Infinity;
    know(login);
    if (before < now() + KNOWN_FOR - TELL_AGAIN) loggedIn(login);
  };

  /** Takes an attempt, and returns the way to give it back; null: none is left. */
  const taken = (login: Login): (() => void) | null => {
    const pair = pairOf(login);
    if (isKnown(pair)) return pairs.take(pair) ? () => pairs.giveBack(pair) : null;
    // Clients first: a client without attempts left must not evict other users' counts with made-up names.
    if (!clients.take(login.client)) return null;
    const giveBack = (): void => clients.giveBack(login.client);
    if (users.take(login.user)) {
      return () => {
        giveBack();
        users.giveBack(login.user);
      };
    }
    giveBack();
    return null;
  };

  return {
    take(client, user) {
      const login = { client, user };
      const giveBack = taken(login);
      if (giveBack === null) return null;
      const right = (): void => {
        giveBack();
        learn(login);
      };
      return { right, giveBack };
    },
    mayUse(client, user) {
      const pair = pairOf({ client, user });
      if (isKnown(pair)) return pairs.left(pair);
      if (!clients.left(client) || !users.left(user)) return false;
      learn({ client, user });
      return true;
    },
    know,
  };
}
