import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { inOnePiece } from '../src/in-one-piece.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const KiB = 2 ** 10;
const TEXTS = 1_000;

/** Bytes of the heap that are held with a part of each text, for each of many texts of 16 KiB. */
function heldBy(part: (text: string) => string): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const parts = Array.from({ length: TEXTS }, (_, i) => part(Buffer.alloc(16 * KiB, `text ${i} `).toString('latin1')));
  collect();
  const held = process.memoryUsage().heapUsed - before;
  expect(parts).toHaveLength(TEXTS);
  return held / TEXTS;
}

test.each(['', 'look.test:443', 'Mozilla/5.0 (é, 中文, 😀)'])('%j is the same text', (text) => {
  expect(inOnePiece(text)).toBe(text);
});

test('what is kept of a text does not keep the text', () => {
  const cut = (text: string): string => text.slice(100, 200);
  expect(heldBy(cut)).toBeGreaterThan(15 * KiB);
  expect(heldBy((text) => inOnePiece(cut(text)))).toBeLessThan(KiB);
});
