import { describe, expect, test } from 'vitest';
import {
  ascii,
  dateAndTime,
  fieldString,
  firstThat,
  grpcMessage,
  isoTime,
  longDate,
  oneLine,
} from '../../src/answers/text.ts';

describe('one line', () => {
  test.each([
    ['plain', 'plain', 10],
    ['  two\r\n\tlines \u2028 x\0y ', 'two lines x y', 40],
    ['\u202eabc', '[U+202E]abc', 40],
    ['a\ud800b', 'a\ufffdb', 40],
    ['12345', '12345', 5],
    ['123456', '1234…', 5],
    ['😀😀😀😀😀😀', '😀😀😀😀…', 5],
    ['ab c', 'ab…', 3],
    ['x'.repeat(1_000_000), `${'x'.repeat(9)}…`, 10],
    [' '.repeat(1000), '…', 10],
    ['', '', 10],
  ])('%j', (text, line, max) => {
    expect(oneLine(text, max)).toBe(line);
  });
});

describe('ASCII', () => {
  test.each([
    ['„Zürich“ — naïve… it’s', '?Zurich" - naive... it\'s', 60],
    ['漢字 ok', '? ok', 60],
    ['a\r\nSet-Cookie: b', 'a Set-Cookie: b', 60],
    ['x'.repeat(100), `${'x'.repeat(9)}.`, 10],
  ])('%j', (text, plain, max) => {
    expect(ascii(text, max)).toBe(plain);
  });

  test('a string of structured fields escapes quote and backslash', () => {
    expect(fieldString('a "b" \\ é', 40)).toBe('"a \\"b\\" \\\\ e"');
  });

  test('grpc-message escapes the percent sign and what is not printable ASCII', () => {
    expect(grpcMessage('50% of: a/b é')).toBe('50%25 of: a/b %C3%A9');
  });
});

test('the first that fits, else the last', () => {
  const short = (text: string): boolean => text.length < 3;
  expect(firstThat(short, ['long', 'ok', 'x'])).toBe('ok');
  expect(firstThat(short, ['long', 'longer'])).toBe('longer');
  expect(firstThat(short, ['only this'])).toBe('only this');
});

test('dates for people and for machines', () => {
  const midnight = Date.parse('2026-07-10T00:00:00+08:00');
  expect(longDate(midnight, 'Asia/Shanghai')).toBe('10 July 2026');
  expect(longDate(midnight, 'UTC')).toBe('9 July 2026');
  expect(dateAndTime(midnight)).toBe('9 July 2026, 16:00 UTC');
  expect(isoTime(midnight)).toBe('2026-07-09T16:00:00.000Z');
  expect(isoTime(midnight + 7)).toBe('2026-07-09T16:00:00.007Z');
  expect(isoTime(midnight + 1999)).toBe('2026-07-09T16:00:01.999Z');
});
