import { expect, test } from 'vitest';
import { createPasswordAttempts, type Login } from '../../src/identify/password-attempts.ts';
import { createRate } from '../../src/listen/rate.ts';

function setting({ most = 10, window = 60_000 } = {}) {
  let now = 0;
  const logins: Login[] = [];
  const attempts = createPasswordAttempts({
    rate: () => createRate({ burst: () => most, perSecond: () => (1000 * most) / window, now: () => now }),
    loggedIn: (login) => logins.push(login),
    now: () => now,
  });
  /** Wrong passwords that get a check, of so many that are sent. */
  const checked = (sent: number, from: (i: number) => readonly [client: string, user: string]): number =>
    Array.from({ length: sent }, (_, i) => attempts.take(...from(i))).filter((one) => one !== null).length;
  const logIn = (client: string, user: string): boolean => {
    const attempt = attempts.take(client, user);
    attempt?.right();
    return attempt !== null;
  };
  const pass = (time: number): void => void (now += time);
  return { attempts, logins, checked, logIn, pass };
}

const day = 86_400_000;

test('one client guesses for one user: ten at once, and one more in six seconds', () => {
  const { checked, pass } = setting();
  expect(checked(50, () => ['c', 'ada'])).toBe(10);
  pass(6_000);
  expect(checked(50, () => ['c', 'ada'])).toBe(1);
});

test('many clients guess for one user: as many as one client, and not in the way of where the user comes from', () => {
  const { checked, logIn } = setting();
  expect(logIn('desk', 'ada')).toBe(true);
  expect(checked(10_000, (i) => [`c${i}`, 'ada'])).toBe(10);
  expect(logIn('desk', 'ada')).toBe(true);
  expect(logIn('phone', 'ada')).toBe(false);
  // And the same clients have theirs for others.
  expect(logIn('c1', 'bob')).toBe(true);
});

test('one client tries a password on many users: ten, and its own users still log in', () => {
  const { checked, logIn } = setting();
  expect(logIn('shared', 'ada')).toBe(true);
  expect(checked(10_000, (i) => ['shared', `u${i}`])).toBe(10);
  expect(logIn('shared', 'bob')).toBe(false);
  expect(logIn('shared', 'ada')).toBe(true);
});

test('a client that is known guesses: ten for its user, which takes nothing from others', () => {
  const { checked, logIn } = setting();
  expect(logIn('shared', 'ada')).toBe(true);
  expect(checked(50, () => ['shared', 'ada'])).toBe(10);
  expect(logIn('shared', 'bob')).toBe(true);
  expect(logIn('phone', 'ada')).toBe(true);
});

test('a password that is remembered may be used where a try is left, which it does not cost', () => {
  const { attempts, checked, logins } = setting();
  for (let i = 0; i < 50; i += 1) expect(attempts.mayUse('c', 'ada')).toBe(true);
  expect(logins).toEqual([{ client: 'c', user: 'ada' }]);
  expect(checked(50, () => ['d', 'ada'])).toBe(10);
  expect([attempts.mayUse('e', 'ada'), attempts.mayUse('c', 'ada'), attempts.mayUse('d', 'bob')]).toEqual([
    false,
    true,
    false,
  ]);
});

test('names and clients that are made up push out nobody who is known, and no count of theirs', () => {
  const { attempts, checked, logIn } = setting();
  expect(logIn('desk', 'ada')).toBe(true);
  expect(checked(10, () => ['desk', 'ada'])).toBe(10);
  checked(100_000, (i) => [`c${i}`, `u${i}`]);
  expect(attempts.take('desk', 'ada')).toBeNull();
});

test('a client without a try left makes up names that are not remembered', () => {
  const { attempts, checked } = setting();
  expect(checked(10, (i) => [`c${i}`, 'ada'])).toBe(10);
  checked(100_000, (i) => ['c', `u${i}`]);
  expect(attempts.take('d', 'ada')).toBeNull();
});

test('who cannot be checked costs no try, also where the client becomes known meanwhile', () => {
  const { attempts, checked, logIn } = setting();
  const attempt = attempts.take('c', 'ada');
  logIn('c', 'ada');
  attempt?.giveBack();
  expect(checked(50, () => ['c', 'ada'])).toBe(10);
  expect(checked(50, () => ['c', 'bob'])).toBe(10);
});

test('a client is known for two weeks after the last login; others are told once a day', () => {
  const { checked, logIn, logins, pass } = setting();
  const known = (): boolean => {
    checked(50, (i) => [`c${i}`, 'ada']);
    return logIn('desk', 'ada');
  };
  logIn('desk', 'ada');
  logIn('desk', 'ada');
  expect(logins).toHaveLength(1);
  pass(13 * day);
  expect(known()).toBe(true);
  expect(logins).toHaveLength(2);
  pass(13 * day);
  expect(known()).toBe(true);
  pass(14 * day);
  expect(known()).toBe(false);
});

test('a login that another process has seen counts as one here, and is not told again', () => {
  const { attempts, checked, logIn, logins } = setting();
  attempts.know({ client: 'desk', user: 'ada' });
  checked(50, (i) => [`c${i}`, 'ada']);
  expect(logIn('desk', 'ada')).toBe(true);
  expect(logins).toEqual([]);
});

test('a directory that locks an account after ten in ten minutes hears of eight at most', () => {
  const { checked, pass } = setting({ most: 4, window: 600_000 });
  let most = checked(50, (i) => [`c${i}`, 'ada']);
  for (let second = 0; second < 600; second += 1) {
    pass(1_000);
    most += checked(1, () => [`d${second}`, 'ada']);
  }
  expect(most).toBe(8);
});
