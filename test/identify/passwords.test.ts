import { expect, test } from 'vitest';
import { createPasswords } from '../../src/identify/passwords.ts';

test('strangers are spread over the hashes that there are, each always to the same', async () => {
  const users = new Map([
    ['ada', 'cheap'],
    ['bob', 'dear'],
  ]);
  const asked: string[] = [];
  const verify = (_password: string, hash: string): Promise<boolean> => {
    asked.push(hash);
    return Promise.resolve(true);
  };
  const backend = createPasswords(() => users, { verify, close: () => Promise.resolve() });
  expect(await backend.verify({ user: 'bob', password: 'x' })).toEqual({ user: 'bob' });
  expect(asked.splice(0)).toEqual(['dear']);
  const names = Array.from({ length: 64 }, (_, i) => `stranger ${i}`);
  for (const user of [...names, ...names]) expect(await backend.verify({ user, password: 'x' })).toBe(false);
  expect(asked.slice(0, 64)).toEqual(asked.slice(64));
  expect(new Set(asked)).toEqual(new Set(['cheap', 'dear']));
});

test('a name is that of the file in any case, but where two differ in nothing else each is itself', async () => {
  const users = new Map([
    ['Ada', 'of Ada'],
    ['bob', 'of bob'],
    ['BOB', 'of BOB'],
  ]);
  const asked: string[] = [];
  const verify = (_password: string, hash: string): Promise<boolean> => {
    asked.push(hash);
    return Promise.resolve(true);
  };
  const backend = createPasswords(() => users, { verify, close: () => Promise.resolve() });
  const check = (user: string) => backend.verify({ user, password: 'x' });
  expect([await check('Ada'), await check('ada'), await check('ADA')]).toEqual(new Array(3).fill({ user: 'Ada' }));
  expect([await check('bob'), await check('BOB'), await check('Bob')]).toEqual([
    { user: 'bob' },
    { user: 'BOB' },
    false,
  ]);
  expect(asked.splice(0, 5)).toEqual(['of Ada', 'of Ada', 'of Ada', 'of bob', 'of BOB']);
  // Nor does the time of an answer tell which of all ways to write a name is in the file.
  asked.length = 0;
  for (const user of ['cid', 'Cid', 'CID']) expect(await check(user)).toBe(false);
  expect(new Set(asked).size).toBe(1);
  expect(new Set(['ada', 'ADA', 'Ada'].map(backend.countedBy)).size).toBe(1);
});
