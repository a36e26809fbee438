import { expect, test } from 'vitest';
import { createWriteBuffer } from '../../src/record/write-buffer.ts';

function takeAll(gathered: ReturnType<typeof createWriteBuffer>): string {
  const text = gathered.take(false).toString();
  gathered.giveBack();
  return text;
}

test('what was added comes out in order, behind a newline only where one is asked for', () => {
  const gathered = createWriteBuffer();
  gathered.add('a\n');
  gathered.add('b\n');
  expect(gathered.take(false).toString()).toBe('a\nb\n');
  gathered.giveBack();
  gathered.add('c\n');
  expect(gathered.take(true).toString()).toBe('\nc\n');
});

test('what was taken stays as it is until it is given back, and its memory is used again then', () => {
  const gathered = createWriteBuffer();
  gathered.add('first\n');
  const first = gathered.take(false);
  gathered.add('second\n');
  expect(first.toString()).toBe('first\n');
  gathered.giveBack();
  const second = gathered.take(false);
  gathered.add('third\n');
  expect(second.toString()).toBe('second\n');
  gathered.giveBack();
  const third = gathered.take(false);
  expect(third.toString()).toBe('third\n');
  expect(second.buffer).not.toBe(first.buffer);
  expect(third.buffer).toBe(first.buffer);
});

test('it grows to what it is given, and keeps no more of it than a busy log needs', () => {
  const gathered = createWriteBuffer();
  const spell = `${'x'.repeat(3 * 1024 * 1024)}\n`;
  gathered.add(spell);
  gathered.add(spell);
  const large = gathered.take(false);
  expect(large.toString() === spell + spell).toBe(true);
  gathered.giveBack();
  gathered.add('a\n');
  const after = gathered.take(false);
  expect(after.toString()).toBe('a\n');
  expect(after.buffer.byteLength).toBeLessThan(100 * 1024);
});

test('memory that was far too large for the last lines goes', () => {
  const gathered = createWriteBuffer();
  const busy = 'x'.repeat(300 * 1024);
  gathered.add(busy);
  const first = gathered.take(false);
  gathered.giveBack();
  gathered.add(busy);
  expect(gathered.take(false).buffer).toBe(first.buffer);
  gathered.giveBack();
  for (const text of ['a\n', 'b\n']) {
    gathered.add(text);
    expect(takeAll(gathered)).toBe(text);
  }
  gathered.add('c\n');
  expect(gathered.take(false).buffer.byteLength).toBeLessThan(100 * 1024);
});

test('no character is cut where memory ends, however many bytes it has', () => {
  const gathered = createWriteBuffer();
  for (const line of ['a', 'é', '日', '😀', '\ud800'].map((character) => `${character.repeat(97)}\n`)) {
    // Past every size of memory up to 1 MiB.
    for (let times = 0; times < 12_000; times += 1) gathered.add(line);
    expect(takeAll(gathered) === Buffer.from(line.repeat(12_000)).toString()).toBe(true);
  }
});

test('what is cleared is gone', () => {
  const gathered = createWriteBuffer();
  gathered.add('a\n');
  gathered.clear();
  gathered.add('b\n');
  expect(takeAll(gathered)).toBe('b\n');
});
