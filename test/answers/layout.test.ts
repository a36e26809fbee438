import { expect, test } from 'vitest';
import { html, render } from '../../src/answers/html.ts';
import { contactLine, factList, layout, linkOr } from '../../src/answers/layout.ts';
import { expectSoundPage } from './documents.ts';
import { hostile } from './samples.ts';

const plain = { title: 'T', company: null, room: 'R', content: html`<h1>H</h1>`, foot: null };

test('a page without anything optional', () => {
  const page = layout(plain);
  expectSoundPage(page);
  expect(page.html).not.toContain('http-equiv="refresh"');
  expect(page.html).toContain('Sallyport');
});

test('moves on where it is told to', () => {
  const page = layout({ ...plain, onward: { seconds: 8, url: 'https://a.example/?a=1&b="' } });
  expect(page.html).toContain('<meta http-equiv="refresh" content="8;url=https://a.example/?a=1&amp;b=&quot;" />');
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
