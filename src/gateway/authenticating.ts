/** Authentication: the access rules in force, and the password sources behind them. */
import type { VouchedField } from '../config/clients-schema.ts';
import type { Config } from '../config/schema.ts';
import { createCredentials, type Credentials } from '../identify/credentials.ts';
import { createPasswordAttempts, type Login } from '../identify/password-attempts.ts';
import { createPasswordPool, type PasswordPool } from '../identify/password-pool.ts';
import type { AccessRules } from '../listen/access.ts';
import { createNetworks } from '../listen/networks.ts';
import { createRate } from '../listen/rate.ts';
import { openPasswords } from './password-sources.ts';

/** bcrypt occupies a core for 50 ms or more; two at once leave the other cores free. */
const THREADS = 2;
const QUEUE = 200;

/** The values of the label `result`. */
const results = ['user', 'wrong', 'missing', 'throttled', 'unavailable'] as const;
type Result = (typeof results)[number];

function vouched(field: VouchedField | null): AccessRules['userField'] {
  return field === null ? null : { name: field.name, trusted: createNetworks(field.trusted) };
}

export interface Authenticating {
  /** Null if nobody has to authenticate. */
  readonly rules: () => AccessRules | null;
  readonly missing: () => void;
  /** Takes over a login that another process of this proxy has seen. */
  readonly know: (login: Login) => void;
  readonly counts: () => Readonly<Record<Result, number>>;
  /**
   * Opens what a new configuration names; the result puts it into force and must be called.
   *
   * @throws {ConfigError} for a password file that cannot be used.
   */
  readonly toFollow: (config: Config) => () => void;
  readonly close: () => Promise<void>;
}

export interface AuthenticatingOptions {
  readonly config: Config;
  readonly log: (line: string) => void;
  /** Called for each check that is refused because the queue is full. */
  readonly queueFull: () => void;
  /** Called for each attempt that is refused after too many wrong ones. */
  readonly throttled: () => void;
  /** Called with clients that users log in from, for the other processes of this proxy. */
  readonly loggedIn: (login: Login) => void;
}

interface Passwords {
  readonly credentials: Credentials;
  readonly close: () => void;
}

type Settings = NonNullable<Config['clients']['authentication']>;

export function createAuthenticating(options: AuthenticatingOptions): Authenticating {
  const { config, log, queueFull, throttled, loggedIn } = options;
  const counts = Object.fromEntries(results.map((result) => [result, 0])) as Record<Result, number>;
  const pool: PasswordPool = createPasswordPool({ threads: THREADS, queue: QUEUE, refused: queueFull });

  let limits: Pick<Settings, 'attempts' | 'attemptsWindow'> | null = config.clients.authentication;
  const burst = (): number => limits?.attempts ?? 1;
  const perSecond = (): number => (1000 * burst()) / (limits?.attemptsWindow ?? 1);
  const clock = (): number => performance.now();
  // Kept across reloads, which would otherwise reset the counts and forget known clients.
  const attempts = createPasswordAttempts({
    rate: () => createRate({ burst, perSecond, now: clock }),
    loggedIn,
    now: clock,
  });

  const open = (settings: Settings): Passwords => {
    const { backend, close } = openPasswords(settings, {
      pool,
      log,
      queueFull,
      changed: () => credentials.forget(),
    });
    const credentials = createCredentials({
      backend,
      attempts,
      cacheTime: settings.cache,
      given: (kind) => {
        counts[kind] += 1;
        if (kind === 'throttled') throttled();
      },
    });
    return { credentials, close };
  };

  const openAll = ({
    clients,
    proxyTls,
  }: Config): { readonly passwords: Passwords | null; readonly rules: AccessRules | null } => {
    const { authentication, userField, groupsField } = clients;
    const passwords = authentication === null ? null : open(authentication);
    const [user, groups] = [userField, groupsField].map(vouched);
    // Client certificates name users as well.
    const named = passwords !== null || (user ?? groups ?? null) !== null || (proxyTls?.clientCaFile ?? null) !== null;
    if (!named) return { passwords, rules: null };
    const credentials =
      passwords === null || authentication === null
        ? null
        : { required: authentication.required, check: passwords.credentials.check };
    return { passwords, rules: { credentials, userField: user ?? null, groupsField: groups ?? null } };
  };

  let now = openAll(config);
  return {
    rules: () => now.rules,
    missing: () => void (counts.missing += 1),
    know: attempts.know,
    counts: () => counts,
    toFollow(next) {
      const opened = openAll(next);
      return () => {
        now.passwords?.close();
        now = opened;
        limits = next.clients.authentication;
      };
    },
    async close() {
      now.passwords?.close();
      await pool.close();
    },
  };
}
