import { expect, test } from 'vitest';
import { html, quoted, render, styleElement } from '../../src/answers/html.ts';
import type { Html, Shown } from '../../src/answers/html.ts';

const shown = (value: Shown): string => render(html`[${value}]`);

test.each<[string, Shown, string]>([
  ['markup', '<script>alert("1")</script>', '[&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;]'],
  ['both quotes', `"'`, '[&quot;&#39;]'],
  ['an entity', '&lt;', '[&amp;lt;]'],
  ['replacement patterns', "$& $1 $` $' $$", '[$&amp; $1 $` $&#39; $$]'],
  ['controls of direction', '\u202eabc\u2066', '[[U+202E]abc[U+2066]]'],
  ['marks of direction, which do no harm', '\u200f', '[\u200f]'],
  ['a number', 0, '[0]'],
  ['nothing', null, '[]'],
  ['an empty list', [], '[]'],
  ['a list', ['<', html`<b>${'&'}</b>`, [1, null]], '[&lt;<b>&amp;</b>1]'],
])('%s', (_what, value, expected) => {
  expect(shown(value)).toBe(expected);
});

test('what looks like markup is none: only the template makes it', () => {
  const forged = JSON.parse('{"html":"<b>","markup":"<b>","Symbol(markup)":"<b>"}') as Html;
  expect(() => shown(forged)).toThrow();
});

test("others' text keeps its direction to itself", () => {
  expect(render(quoted('<א>'))).toBe('<bdi>&lt;א&gt;</bdi>');
});

test('a style sheet is taken as it is, unless it ends its element', () => {
  expect(render(styleElement('a>b{content:"&"}'))).toBe('<style>a>b{content:"&"}</style>');
  expect(() => styleElement('a{}</style><script>')).toThrow(/may not contain/);
});
