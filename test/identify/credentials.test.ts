import { expect, test } from 'vitest';
import { createCredentials, type Verdict } from '../../src/identify/credentials.ts';
import { basic } from '../support/passwords.ts';

interface Setting {
  readonly verify?: (user: string, password: string) => Promise<boolean | null>;
  readonly attempts?: number;
}

function setting({ verify, attempts = 3 }: Setting = {}) {
  const left = new Map<string, number>();
  const given: string[] = [];
  let asked = 0;
  const credentials = createCredentials({
    backend: {
      verify: ({ user, password }) => {
        asked += 1;
        const checked = verify?.(user, password) ?? Promise.resolve(password === `${user}-secret`);
        return checked.then((good) => good && { user });
      },
      countedBy: (user) => user.toLowerCase(),
    },
    attempts: {
      take(key) {
        const now = left.get(key) ?? attempts;
        left.set(key, Math.max(0, now - 1));
        return now > 0;
      },
      giveBack: (key) => void left.set(key, (left.get(key) ?? 0) + 1),
    },
    cacheTime: 60_000,
    given: (kind) => given.push(kind),
  });
  const check = async (user: string, password?: string, client = '10.0.0.1'): Promise<Verdict['kind']> =>
    (await credentials.check(basic(user, password), client)).kind;
  return { credentials, check, given, asked: () => asked, keys: () => left.size };
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
  const { check, asked, keys } = setting();
  for (const guess of ['a', 'b', 'c']) expect(await check('ada', guess)).toBe('wrong');
  const known = keys();
  expect(await check('bob')).toBe('throttled');
  // Names that it makes up must not push out those whose tries are counted.
  expect(keys()).toBe(known);
  expect(asked()).toBe(3);
  expect(await check('bob', undefined, '10.0.0.2')).toBe('user');
});

test('after so many wrong ones for a user nobody gets another, but who is known stays so', async () => {
  const { check } = setting();
  expect(await check('ada')).toBe('user');
  for (const guess of [1, 2, 3]) expect(await check('ada', String(guess), `10.0.1.${guess}`)).toBe('wrong');
  expect(await check('ada', '4', '10.0.1.4')).toBe('throttled');
  expect(await check('ada')).toBe('user');
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
