import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { joinPieces } from '../src/join-pieces.ts';
import { eventually } from './support/streams.ts';

function joining(highWaterMark = 16 * 1024): Readable {
  const message = new Readable({ read: () => undefined, highWaterMark });
  joinPieces(message);
  return message;
}

/** The pieces as a reader gets them. */
function read(message: Readable): string[] {
  const pieces: string[] = [];
  message.on('data', (piece: Buffer) => pieces.push(piece.toString('latin1')));
  return pieces;
}

test('the first piece of a turn comes at once, small ones behind it together, and large ones by themselves, in order', async () => {
  const message = joining();
  const pieces = read(message);
  await new Promise((resolve) => setImmediate(resolve));
  const large = 'L'.repeat(20_000);
  for (const text of ['a', 'b', 'c', large, 'd', 'e']) message.push(Buffer.from(text));
  expect(pieces).toEqual(['a', 'bc', large]);
  await eventually('the rest', () => pieces.length === 4);
  expect(pieces[3]).toBe('de');
});

test('no more is joined than a socket is read for', async () => {
  const message = joining();
  const pieces = read(message);
  await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 201; i++) message.push(Buffer.alloc(1000, 'x'));
  await eventually('all', () => pieces.join('').length === 201_000);
  expect(pieces.map((text) => text.length)).toEqual([1000, 66_000, 66_000, 66_000, 2000]);
});

test('what waits comes before the end, and the end is told', async () => {
  const message = joining();
  const pieces = read(message);
  for (const text of ['a', 'b', 'c']) message.push(Buffer.from(text));
  message.push(null);
  await eventually('the end', () => message.readableEnded);
  expect(pieces.join('')).toBe('abc');
});

test('what waits for a message that is destroyed is dropped', async () => {
  const message = joining();
  const errors: unknown[] = [];
  message.on('error', (error) => errors.push(error));
  const pieces = read(message);
  for (const text of ['a', 'b']) message.push(Buffer.from(text));
  message.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect([pieces.join('').includes('b'), errors]).toEqual([false, []]);
});

test('what nobody reads waits in few pieces, and is refused once it is much', async () => {
  const message = joining(1_000);
  let more = true;
  for (let turn = 0; turn < 3; turn++) {
    for (let i = 0; i < 300; i++) more = message.push(Buffer.from('x'));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(more).toBe(true);
  expect(message.push(Buffer.alloc(200))).toBe(false);
  const pieces = read(message);
  await eventually('all', () => pieces.join('').length === 1_100);
  expect(pieces.length).toBeLessThanOrEqual(7);
});
