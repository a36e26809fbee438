import { expect, test } from 'vitest';
import { engineIoMessages } from '../../src/answers/engine-io.ts';
import type { RequestFacts } from '../../src/flow.ts';

const messages = (path: string): readonly string[] =>
  engineIoMessages({ path } as RequestFacts, 'abc', 'Blocked: "x".');

test.each([
  ['/socket.io/?EIO=4&transport=websocket', '44{"message":"Blocked: \\"x\\"."}'],
  ['/a/b?transport=websocket&sid=1&EIO=4', '44{"message":"Blocked: \\"x\\"."}'],
  ['/socket.io/?EIO=3&transport=websocket', '44"Blocked: \\"x\\"."'],
])('%s: an open session, then the refusal', (path, refusal) => {
  const [open = '', last] = messages(path);
  expect(open.charAt(0)).toBe('0');
  expect(JSON.parse(open.slice(1))).toMatchObject({ sid: 'abc', upgrades: [], pingInterval: 25_000 });
  expect(last).toBe(refusal);
});

test.each([
  '/',
  '/socket.io/?EIO=4&transport=polling',
  '/x?EIO=5&transport=websocket',
  '/x?aEIO=4&transport=websocket',
])('%s: nothing', (path) => {
  expect(messages(path)).toEqual([]);
});
