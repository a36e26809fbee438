import { expect, test } from 'vitest';
import { createTokenAttempts } from '../../src/gateway/token-attempts.ts';

test('ten at once, one more in six seconds, to each machine of its own; one line of the log in a minute', () => {
  let now = 0;
  let met = 0;
  const lines: string[] = [];
  const attempts = createTokenAttempts({
    met: () => void (met += 1),
    log: (line) => void lines.push(line),
    now: () => now,
  });
  const taken = (address: string): boolean => {
    const may = attempts.take(address);
    if (!may) attempts.refused(address);
    return may;
  };
  // One machine has the whole of a /64.
  const many = Array.from({ length: 20 }, (_, i) => taken(`2001:db8::${i.toString(16)}`));
  expect(many.filter((may) => may)).toHaveLength(10);
  expect(met).toBe(10);
  expect(lines).toEqual(['admin: too many wrong tokens from 2001:db8::a; everything it sends is refused for a while']);
  expect(taken('10.0.0.1')).toBe(true);
  now = 6_000;
  expect([taken('2001:db8::1'), taken('2001:db8::1')]).toEqual([true, false]);
  now = 66_000;
  for (let i = 0; i < 12; i += 1) taken('2001:db8::1');
  expect(lines).toHaveLength(2);
});
