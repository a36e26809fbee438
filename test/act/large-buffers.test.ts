import { afterEach, expect, test, vi } from 'vitest';
import { borrow, giveBack, lent, type Loan } from '../../src/act/large-buffers.ts';

const ignore = (): void => undefined;

function borrowed(rested = ignore): Loan {
  return borrow(rested) ?? expect.fail('there is none left');
}

const loans: Loan[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const loan of loans.splice(0)) giveBack(loan, false);
  expect(lent()).toBe(0);
});

test('64 are lent, and one that is given back is lent again', () => {
  for (let i = 0; i < 64; i += 1) loans.push(borrowed());
  expect(new Set(loans.map(({ buffer }) => buffer)).size).toBe(64);
  expect(borrow(ignore)).toBeNull();
  const back = loans.pop() ?? expect.fail();
  giveBack(back, false);
  giveBack(back, false);
  const again = borrowed();
  loans.push(again);
  expect(again.buffer).toBe(back.buffer);
  expect(borrow(ignore)).toBeNull();
});

test('one that is still read is not lent again', () => {
  const loan = borrowed();
  giveBack(loan, true);
  for (let i = 0; i < 64; i += 1) loans.push(borrowed());
  expect(loans.some(({ buffer }) => buffer === loan.buffer)).toBe(false);
});

test('whoever has not used one for a second is asked for it, each second', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const asked: string[] = [];
  const busy = borrowed(() => asked.push('busy'));
  loans.push(
    busy,
    borrowed(() => asked.push('idle')),
  );
  const pass = (seconds: number): void => {
    for (let i = 0; i < seconds; i += 1) {
      busy.isUsed = true;
      vi.advanceTimersByTime(1_000);
    }
  };
  pass(1);
  expect(asked).toEqual([]);
  pass(2);
  expect(asked).toEqual(['idle', 'idle']);
  vi.advanceTimersByTime(1_000);
  expect(asked).toEqual(['idle', 'idle', 'busy', 'idle']);
});

test('nothing is watched while none is lent', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const loan = borrowed();
  expect(vi.getTimerCount()).toBe(1);
  giveBack(loan, false);
  expect(vi.getTimerCount()).toBe(0);
});
