import { expect, test } from 'vitest';
import { createPasswordAttempts } from '../../src/identify/password-attempts.ts';
import { createCredentials, type Verdict } from '../../src/identify/credentials.ts';
import { createRate } from '../../src/listen/rate.ts';
import { basic } from '../support/passwords.ts';

interface Setting {
  readonly verify?: (user: string, password: string) => Promise<boolean | null>;
  readonly attempts?: number;
}

function setting({ verify, attempts = 3 }: Setting = {}) {
  const given: string[] = [];
  let asked = 0;
  let now = 0;
  const credentials = createCredentials({
    backend: {
      verify: ({ user, password }) => {
        asked += 1;
        const checked = verify?.(user, password) ?? Promise.resolve(password === `${user}-secret`);
        return checked.then((good) => good && { user });
      },
      countedBy: (user) => user.toLowerCase(),
    },
    attempts: createPasswordAttempts({
      rate: () => createRate({ burst: () => attempts, perSecond: () => attempts / 60, now: () => now }),
      loggedIn: () => undefined,
      now: () => now,
    }),
    cacheTime: 300_000,
    given: (kind) => given.push(kind),
  });
  const check = async (user: string, password?: string, client = '10.0.0.1'): Promise<Verdict['kind']> =>
    (await credentials.check(basic(user, password), client)).kind;
  /** As many wrong ones as a client has. */
  const guess = async (user: string, client: string): Promise<void> => {
    for (let i = 0; i < attempts; i += 1) await check(user, `guess ${i} of ${client}`, client);
  };
  const pass = (time: number): void => void (now += time);
  return { credentials, check, guess, pass, given, asked: () => asked };
}

test('a good password is checked once, and a verdict that is remembered is there at once', async () => {
  const { credentials, check, asked, given } = setting();
  expect(await check('ada')).toBe('user');
  expect(credentials.check(basic('ada'), 'x')).toEqual({ kind: 'user', user: 'ada' });
  expect(asked()).toBe(1);
  expect(given).toEqual(['user', 'user']);
});

test('the same credentials on six connections at once are checked once', async () => {
  const { check, asked } = setting();
  expect(await Promise.all(Array.from({ length: 6 }, () => check('ada')))).toEqual(new Array(6).fill('user'));
  expect(asked()).toBe(1);
});

test('the memory of one user says nothing of another, nor of another password', async () => {
  const { check } = setting();
  await check('ada');
  expect(await check('ada', 'ada-secret ')).toBe('wrong');
  expect(await check('bob', 'ada-secret')).toBe('wrong');
  expect(await check('ad', 'a:ada-secret')).toBe('wrong');
});

test('what is forgotten is checked again, also what was being checked meanwhile', async () => {
  const answers: ((good: boolean) => void)[] = [];
  const { credentials, check, asked } = setting({ verify: () => new Promise((resolve) => answers.push(resolve)) });
  const early = check('ada');
  credentials.forget();
  answers[0]?.(true);
  expect(await early).toBe('user');
  const late = check('ada');
  expect(asked()).toBe(2);
  answers[1]?.(false);
  expect(await late).toBe('wrong');
});

test('after so many wrong ones a client gets no check more, and others still do', async () => {
  const { check, asked } = setting();
  for (const guess of ['a', 'b', 'c']) expect(await check('ada', guess)).toBe('wrong');
  expect(await check('bob')).toBe('throttled');
  expect(asked()).toBe(3);
  expect(await check('bob', undefined, '10.0.0.2')).toBe('user');
});

test('after so many wrong ones for a user no new client gets a check; one that the user comes from still does', async () => {
  const { credentials, check, asked } = setting();
  expect(await check('ada')).toBe('user');
  for (const guess of [1, 2, 3]) expect(await check('ada', String(guess), `10.0.1.${guess}`)).toBe('wrong');
  expect(await check('ada', '4', '10.0.1.4')).toBe('throttled');
  credentials.forget();
  expect(await check('ada')).toBe('user');
  expect(await check('ada', 'mistyped')).toBe('wrong');
  expect(asked()).toBe(6);
});

test.each([
  ['from a client that is out of tries', async ({ guess }) => guess('bob', '10.0.0.9')],
  ['for a user who is out of tries elsewhere', async ({ guess }) => guess('ada', '10.0.0.8')],
] satisfies [string, (at: ReturnType<typeof setting>) => Promise<void>][])(
  'a guess that hits is refused as one that misses: %s, also while the password is remembered',
  async (_why, spend) => {
    const at = setting();
    expect(await at.check('ada')).toBe('user');
    await spend(at);
    const before = at.asked();
    expect(await at.check('ada', 'ada-secret', '10.0.0.9')).toBe('throttled');
    expect(await at.check('ada', 'another', '10.0.0.9')).toBe('throttled');
    expect(at.asked()).toBe(before);
    at.pass(60_000);
    expect(await at.check('ada', 'ada-secret', '10.0.0.9')).toBe('user');
  },
);

test('a client from which a user logs in has so many guesses for this user as well, and no more', async () => {
  const { check, guess, pass } = setting();
  expect(await check('ada')).toBe('user');
  await guess('ada', '10.0.0.1');
  expect(await check('ada')).toBe('throttled');
  pass(20_000);
  expect(await check('ada')).toBe('user');
});

test('a check of another client under way is no check of this one', async () => {
  const answers: ((good: boolean) => void)[] = [];
  const { check, asked } = setting({ verify: () => new Promise((resolve) => answers.push(resolve)) });
  const both = [check('ada'), check('ada', undefined, '10.0.0.2')];
  expect(asked()).toBe(2);
  for (const answer of answers) answer(true);
  expect(await Promise.all(both)).toEqual(['user', 'user']);
});

test('guesses that come all at once are held to the same number', async () => {
  const { check } = setting();
  const kinds = await Promise.all(Array.from({ length: 20 }, (_, i) => check('ada', String(i))));
  expect(kinds.filter((kind) => kind === 'wrong')).toHaveLength(3);
  expect(kinds.filter((kind) => kind === 'throttled')).toHaveLength(17);
});

test('who cannot be checked is nobody, costs no try, and is not remembered', async () => {
  const verdicts = [null, null, null, null, true];
  const { check } = setting({ verify: () => Promise.resolve(verdicts.shift() ?? null) });
  for (let i = 0; i < 4; i += 1) expect(await check('ada')).toBe('unavailable');
  expect(await check('ada')).toBe('user');
});
