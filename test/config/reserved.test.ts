import { expect, test } from 'vitest';
import { isReserved } from '../../src/config/reserved.ts';
import { builtIn } from '../../src/decide/defaults.ts';

test.each(Object.values(builtIn))('%s is ours', (id) => {
  expect(isReserved(id)).toBe(true);
});

test.each(['default', 'claude-ban', 'my-default-rule', 'server-name'])('%s is free', (id) => {
  expect(isReserved(id)).toBe(false);
});
