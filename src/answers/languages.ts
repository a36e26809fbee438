/** Language negotiation by Accept-Language (RFC 9110, section 12.5.4). */
import type { Texts } from '../flow.ts';

/** Characters; the rest of a longer field is ignored. */
const LONGEST = 300;

/** The language ranges of the field, in order of preference, without those of quality 0. */
function ranges(acceptLanguage: string): readonly string[] {
  return acceptLanguage
    .slice(0, LONGEST)
    .split(',')
    .map((part) => {
      const [range = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return { range, quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ range, quality }) => /^[a-z]{1,8}(?:-[a-z0-9]{1,8})*$/.test(range) && quality > 0)
    .toSorted((a, b) => b.quality - a.quality)
    .map(({ range }) => range);
}

/**
 * The best of the tags in `available`, or null if none matches. A range is shortened from its end until it matches (RFC
 * 4647, section 3.4), and also matches longer tags: `zh-TW` finds `zh`, and `zh` finds `zh-Hans`.
 */
export function preferred(acceptLanguage: string, available: readonly string[]): string | null {
  for (const range of ranges(acceptLanguage)) {
    const parts = range.split('-');
    for (let length = parts.length; length > 0; length -= 1) {
      const start = parts.slice(0, length).join('-');
      const found = available.find((tag) => `${tag.toLowerCase()}-`.startsWith(`${start}-`));
      if (found !== undefined) return found;
    }
  }
  return null;
}

/** A text and its language; null if unknown. */
export interface LocalizedText {
  readonly text: string;
  readonly language: string | null;
}

/**
 * The text in the requested language; otherwise in the language of the page around it; otherwise `plain`.
 *
 * @param page the language of the page.
 */
export function localize(texts: Texts | undefined, plain: string, acceptLanguage: string, page: string): LocalizedText {
  if (texts === undefined) return { text: plain, language: null };
  const tags = Object.keys(texts);
  const language = preferred(acceptLanguage, tags) ?? preferred(page, tags);
  return language === null ? { text: plain, language: null } : { text: texts[language] ?? plain, language };
}
