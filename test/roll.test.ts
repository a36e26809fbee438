import { expect, test } from 'vitest';
import { createRoll } from '../src/roll.ts';

interface Member {
  readonly name: string;
  place: number;
}

const member = (name: string): Member => ({ name, place: -1 });

test('whoever has entered is on it until leaving, in whatever order they leave', () => {
  const roll = createRoll<Member>();
  const members = ['a', 'b', 'c', 'd'].map(member);
  const [a, b, c, d] = members as [Member, Member, Member, Member];
  for (const each of members) roll.enter(each);
  const names = (): string =>
    roll
      .all()
      .map(({ name }) => name)
      .sort()
      .join('');
  expect(names()).toBe('abcd');
  expect(roll.leave(b)).toBe(true);
  expect([names(), roll.size()]).toEqual(['acd', 3]);
  expect(roll.leave(d)).toBe(true);
  expect(roll.leave(a)).toBe(true);
  expect(names()).toBe('c');
  roll.enter(b);
  expect(names()).toBe('bc');
  expect([roll.leave(c), roll.leave(b), roll.size()]).toEqual([true, true, 0]);
});

test('leaving twice, or without having entered, changes nothing', () => {
  const roll = createRoll<Member>();
  const [a, b] = [member('a'), member('b')];
  roll.enter(a);
  expect([roll.leave(b), roll.leave(a), roll.leave(a)]).toEqual([false, true, false]);
  roll.enter(b);
  expect([roll.leave(a), roll.size()]).toEqual([false, 1]);
});

test('what it gave of those that are there stays as it was', () => {
  const roll = createRoll<Member>();
  const members = ['a', 'b', 'c'].map(member);
  for (const each of members) roll.enter(each);
  const before = roll.all();
  for (const each of before) roll.leave(each);
  expect(before).toEqual(members);
  expect(roll.all()).toEqual([]);
});
