import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readExceptions } from '../../src/config/exceptions-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'sallyport-exceptions-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = join(dir, 'exceptions.jsonl');

const trail = { created_at: '2026-07-10T08:00:00Z', created_by: 'alice' };
const one = {
  id: 'one',
  vendors: ['acme'],
  until: '2026-08-10T08:00:00Z',
  approved_by: 'head',
  reason: 'why',
  ...trail,
};
const pause = {
  id: 'p',
  pause: '*',
  from: '2026-07-10T08:00:00Z',
  until: '2026-07-10T09:00:00Z',
  reason: 'why',
  ...trail,
};

function text(...lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function complaint(content: string | Uint8Array): string {
  writeFileSync(file, content);
  try {
    readExceptions(file);
    return '';
  } catch (error) {
    return (error as Error).message.replace(`${dir}/`, '');
  }
}

test('a file that is not there has no lines', () => {
  expect(readExceptions(join(dir, 'none.jsonl')).lines.size).toBe(0);
});

test('reads exceptions and pauses, and passes over empty lines', () => {
  writeFileSync(file, `\n${text(one)}   \n${text(pause)}`);
  const { lines } = readExceptions(file);
  expect([...lines.keys()]).toEqual([1, 3]);
  expect(lines.get(1)).toMatchObject({ id: 'one', until: Date.parse(one.until), created_by: 'alice' });
  expect(lines.get(3)).toMatchObject({ id: 'p', pause: '*' });
});

test('the last line needs no break', () => {
  writeFileSync(file, text(one).trimEnd());
  expect(readExceptions(file).lines.size).toBe(1);
});

test('what was read before is not read again', () => {
  writeFileSync(file, text(one));
  const before = readExceptions(file);
  writeFileSync(file, text(pause, one));
  expect(readExceptions(file, before).lines.get(1)).toBe(before.lines.get(0));
});

test.each<[sentence: string, content: string | Uint8Array, expected: string]>([
  [
    'half a line',
    text(one) + text(pause).slice(0, 40),
    'exceptions.jsonl:2:1: not valid JSON; each line is one exception; correct or remove it',
  ],
  ['an unknown key', text({ ...one, untill: 1 }), 'exceptions.jsonl:1:1: unknown key "untill"; did you mean "until"?'],
  ['a missing key', text({ ...one, approved_by: undefined }), 'exceptions.jsonl:1:1: "approved_by" is missing; add it'],
  [
    'nothing that it is for',
    text({ ...one, vendors: undefined }),
    'exceptions.jsonl:1:1: it does not say what it is about',
  ],
  [
    'an id twice',
    text(one, pause, one),
    'exceptions.jsonl:3:1: the id "one" is already used in line 1; rename one of the two',
  ],
  [
    'a day without a time',
    text({ ...one, until: '2026-08-10' }),
    'exceptions.jsonl:1:1: "2026-08-10" has no time of day; write one such as 2026-08-10T08:00:00Z',
  ],
  [
    'an end before the beginning',
    text({ ...one, from: '2026-09-10T08:00:00Z' }),
    'exceptions.jsonl:1:1: "until" is not after "from"; swap or correct them',
  ],
  ['no object', '[]\n', 'exceptions.jsonl:1:1: "the file" must be'],
  [
    'bytes that are no text',
    Uint8Array.of(0x7b, 0xff, 0x0a),
    'exceptions.jsonl: the file is not UTF-8; save it as UTF-8',
  ],
])('refuses %s', (_, content, expected) => {
  expect(complaint(content).replace('the file must', '"the file" must')).toContain(expected);
});

test('refuses a folder', () => {
  expect(() => readExceptions(dir)).toThrow(/this is a folder/);
});
