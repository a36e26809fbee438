import { expect, test } from 'vitest';
import { preferred, localize } from '../../src/answers/languages.ts';

test.each<[string, string[], string | null]>([
  ['zh-CN,zh;q=0.9,en;q=0.8', ['en', 'zh'], 'zh'],
  ['en-US,en;q=0.9', ['en', 'zh'], 'en'],
  ['zh-Hant-TW', ['en', 'zh'], 'zh'],
  ['zh', ['en', 'zh-Hans'], 'zh-Hans'],
  ['pt', ['pt-BR', 'pt-PT'], 'pt-BR'],
  ['PT-br;q=0.3, de ; q=0.7', ['pt-BR', 'de'], 'de'],
  ['en;q=0, zh', ['en', 'zh'], 'zh'],
  ['en;q=0', ['en'], null],
  ['fr', ['en', 'zh'], null],
  ['e', ['en'], null],
  ['*', ['en', 'zh'], null],
  ['', ['en'], null],
  ['en;q=x', ['en'], null],
  ['\u202e<script>, zh', ['en', 'zh'], 'zh'],
  [`${'x,'.repeat(100_000)}zh`, ['zh'], null],
])('%.40s of %j is %s', (wanted, available, expected) => {
  expect(preferred(wanted, available)).toBe(expected);
});

test.each([
  [undefined, { text: 'plain', language: null }],
  [
    { de: 'Nein', zh: '不' },
    { text: '不', language: 'zh' },
  ],
  [
    { de: 'Nein', en: 'No' },
    { text: 'No', language: 'en' },
  ],
  [{ de: 'Nein' }, { text: 'plain', language: null }],
])('%o in Chinese on an English page is %o', (texts, expected) => {
  expect(localize(texts, 'plain', 'zh-CN', 'en')).toEqual(expected);
});
