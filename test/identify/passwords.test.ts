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
