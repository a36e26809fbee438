import { expect, test } from 'vitest';
import { freeAfterWrite } from '../../src/act/free-memory.ts';

const gives = Reflect.has(ArrayBuffer.prototype, 'transfer');

test('a large chunk gives its memory back once it is written, where Node.js can', () => {
  const chunk = Buffer.alloc(8192, 'a');
  const written = freeAfterWrite(chunk);
  expect(chunk.toString()).toBe('a'.repeat(8192));
  written?.();
  expect(chunk.buffer.byteLength).toBe(gives ? 0 : 8192);
});

test('a chunk that was not written stays as it is', () => {
  const chunk = Buffer.alloc(8192, 'a');
  freeAfterWrite(chunk)?.(new Error('closed'));
  expect(chunk.toString()).toBe('a'.repeat(8192));
});

test.each([
  ['is small', Buffer.alloc(8191)],
  ['shares its memory', Buffer.alloc(65_536).subarray(1)],
])('a chunk that %s is left to the collector', (_what, chunk) => {
  expect(freeAfterWrite(chunk)).toBeUndefined();
});
