import { expect, test } from 'vitest';
import { html, render } from '../../src/answers/html.ts';
import { contactLine, factList, layout, linkOr } from '../../src/answers/layout.ts';
import { phrasesFor } from '../../src/answers/phrases.ts';
import { expectSoundPage } from './documents.ts';
import { hostile } from './samples.ts';

const plain = { title: 'T', company: null, room: 'R', content: html`<h1>H</h1>`, foot: null };

test('a page without anything optional', () => {
  const page = layout(plain);
  expectSoundPage(page);
  expect(page).toMatchObject({ refresh: null, language: 'en' });
  expect(page.html).toContain('Sallyport');
});

test('moves on where it is told to', () => {
  const page = layout({ ...plain, onward: { seconds: 8, url: 'https://a.example/?a=1&b="' } });
  expect(page.refresh).toBe('8; url=https://a.example/?a=1&b="');
  expect(page.html).not.toContain('http-equiv');
});

test('wears the colour and the logo of the company, and allows pictures only then', () => {
  const logo = 'data:image/svg+xml;base64,PHN2Zy8+';
  const own = layout({ ...plain, company: { name: 'N', contact: null, colour: '#aa0055', logo } });
  expectSoundPage(own);
  expect(own.html).toContain(`<img src="${logo}" alt="" />`);
  expect(own.html).toContain('--act:#aa0055');
  expect(own.csp).toContain("img-src data:; base-uri 'none'");
  expect(layout(plain).csp).not.toContain('img-src');
});

test('speaks the language of its phrases', () => {
  const page = layout({ ...plain, phrases: phrasesFor('zh') });
  expectSoundPage(page, 'zh');
  expect(page.language).toBe('zh');
  expect(page.html).toContain('跳到正文');
});

test('a hostile title and company', () => {
  expectSoundPage(layout({ ...plain, title: hostile.slice(0, 300), company: { name: hostile, contact: null } }));
});

test('facts without a value are left out', () => {
  const list = render(
    factList([
      ['A', 'x<y'],
      ['B', null],
      ['C', ''],
      ['D', html`<code>d</code>`],
    ]),
  );
  expect(list.replace(/\s+</g, '<')).toBe(
    '<dl class="facts"><dt>A</dt><dd><bdi>x&lt;y</bdi></dd><dt>D</dt><dd><code>d</code></dd></dl>',
  );
});

test('a contact is a link only where it has an address', () => {
  expect(contactLine(null)).toBeNull();
  expect(contactLine({ name: 'N', contact: null })).toBeNull();
  expect(render(linkOr('desk', null))).toBe('<bdi>desk</bdi>');
  expect(render(linkOr('mail', 'mailto:a@b.example'))).toBe('<a href="mailto:a@b.example"><bdi>mail</bdi></a>');
});
