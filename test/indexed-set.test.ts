import { expect, test } from 'vitest';
import { createIndexedSet } from '../src/indexed-set.ts';

interface Member {
  readonly name: string;
  place: number;
}

const member = (name: string): Member => ({ name, place: -1 });

test('whoever has entered is on it until leaving, in whatever order they leave', () => {
  const set = createIndexedSet<Member>();
  const members = ['a', 'b', 'c', 'd'].map(member);
  const [a, b, c, d] = members as [Member, Member, Member, Member];
  for (const each of members) set.add(each);
  const names = (): string =>
    set
      .all()
      .map(({ name }) => name)
      .sort()
      .join('');
  expect(names()).toBe('abcd');
  expect(set.delete(b)).toBe(true);
  expect([names(), set.size()]).toEqual(['acd', 3]);
  expect(set.delete(d)).toBe(true);
  expect(set.delete(a)).toBe(true);
  expect(names()).toBe('c');
  set.add(b);
  expect(names()).toBe('bc');
  expect([set.delete(c), set.delete(b), set.size()]).toEqual([true, true, 0]);
});

test('leaving twice, or without having entered, changes nothing', () => {
  const set = createIndexedSet<Member>();
  const [a, b] = [member('a'), member('b')];
  set.add(a);
  expect([set.delete(b), set.delete(a), set.delete(a)]).toEqual([false, true, false]);
  set.add(b);
  expect([set.delete(a), set.size()]).toEqual([false, 1]);
});

test('what it gave of those that are there stays as it was', () => {
  const set = createIndexedSet<Member>();
  const members = ['a', 'b', 'c'].map(member);
  for (const each of members) set.add(each);
  const before = set.all();
  for (const each of before) set.delete(each);
  expect(before).toEqual(members);
  expect(set.all()).toEqual([]);
});
