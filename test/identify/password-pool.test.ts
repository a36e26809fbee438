import { expect, onTestFinished, test } from 'vitest';
import { createPasswordPool, type PasswordPool } from '../../src/identify/password-pool.ts';
import { createPasswords } from '../../src/identify/passwords.ts';
import { argon2Line, bcryptLine } from '../support/passwords.ts';

function pool(queue = 100): PasswordPool & { readonly refused: () => number } {
  let refused = 0;
  const made = createPasswordPool({ threads: 2, queue, refused: () => (refused += 1) });
  onTestFinished(() => made.close());
  return { ...made, refused: () => refused };
}

test('tells good from wrong, many at once, each its own', async () => {
  const { verify } = pool();
  const hashes = [(await bcryptLine('ada')).trim().slice(4), (await argon2Line('bob')).trim().slice(4)];
  const asked = Array.from({ length: 20 }, (_, i) =>
    verify(i % 3 === 0 ? 'ada-secret' : 'bob-secret', hashes[i % 2] ?? ''),
  );
  const good = Array.from({ length: 20 }, (_, i) => (i % 3 === 0) === (i % 2 === 0));
  expect(await Promise.all(asked)).toEqual(good);
  expect(await verify('x', 'no hash')).toBe(false);
  expect(await verify('x'.repeat(100), hashes[0] ?? '')).toBe(false);
});

test('of more than may wait the surplus is nobody, and counted', async () => {
  const { verify, refused } = pool(3);
  const hash = (await bcryptLine('ada', 8)).trim().slice(4);
  const verdicts = await Promise.all(Array.from({ length: 8 }, () => verify('ada-secret', hash)));
  expect(verdicts.filter((good) => good === true)).toHaveLength(5);
  expect([verdicts.filter((good) => good === null).length, refused()]).toEqual([3, 3]);
});

test('a pool that closes leaves nobody waiting', async () => {
  const { verify, close } = pool();
  const hash = (await bcryptLine('ada', 10)).trim().slice(4);
  const verdicts = Promise.all(Array.from({ length: 6 }, () => verify('ada-secret', hash)));
  await close();
  expect((await verdicts).filter((good) => good === null).length).toBeGreaterThan(0);
});

test('a user that is not there costs a check as well, and is nobody even with the password of another', async () => {
  const { verify } = pool();
  const hash = (await bcryptLine('ada')).trim().slice(4);
  const hashes: string[] = [];
  const spied = {
    verify: (password: string, of: string) => (hashes.push(of), verify(password, of)),
    close: () => Promise.resolve(),
  };
  const backend = createPasswords(() => new Map([['ada', hash]]), spied);
  expect(await backend.verify({ user: 'ada', password: 'ada-secret' })).toEqual({ user: 'ada' });
  expect(await backend.verify({ user: 'eve', password: 'ada-secret' })).toBe(false);
  expect(hashes).toEqual([hash, hash]);
});
