import { expect, test } from 'vitest';
import { html, render } from '../../src/answers/html.ts';
import { phrasesFor } from '../../src/answers/phrases.ts';

test.each([
  ['zh-TW', undefined, 'zh'],
  ['de', undefined, 'en'],
  ['de', 'zh' as const, 'zh'],
  ['', 'zh' as const, 'zh'],
  ['en', 'zh' as const, 'en'],
])('%j with %s for default speaks %s', (wanted, otherwise, language) => {
  expect(phrasesFor(wanted, otherwise).language).toBe(language);
});

/** Every phrase with the same arguments. */
const all = (language: 'en' | 'zh'): string[] => {
  const [one, two] = [html`<b>1</b>`, html`<b>2</b>`];
  const phrases = phrasesFor(language);
  const { title, unavailable, useInstead, continueTo, takenThere, requestAccess, ask, source } = phrases;
  const made = [unavailable(one), useInstead(one), continueTo(one), requestAccess('https://a/', two)];
  const plain = Object.values(phrases).filter((phrase) => typeof phrase === 'string');
  const texts = [title('P', 'A'), title('P', null), takenThere(8), phrases.detailsTitle('P', 'i')];
  return [...plain, ...texts, ...[...made, ask(one, two), source(one, two), phrases.wasBlocked(one)].map(render)];
};

test('each language says everything in its own words, and names what it is about', () => {
  const [english, chinese] = [all('en'), all('zh')];
  expect(chinese).toHaveLength(english.length);
  english.forEach((phrase, index) => {
    expect(chinese[index]).not.toBe(phrase);
    const names = (text = ''): string[] => text.match(/<b>\d<\/b>|https:\/\/a\/|\b[PAi8]\b/g) ?? [];
    expect(new Set(names(chinese[index]))).toEqual(new Set(names(phrase)));
  });
  for (const phrase of chinese) if (phrase !== 'zh') expect(phrase).toMatch(/\p{Script=Han}/u);
});
