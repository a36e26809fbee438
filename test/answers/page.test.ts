import { describe, expect, test } from 'vitest';
import { createAnswers } from '../../src/answers/answers.ts';
import type { About } from '../../src/answers/settings.ts';
import type { Answer, Denial } from '../../src/flow.ts';
import { expectSoundPage } from './documents.ts';
import * as samples from './samples.ts';
import { answers, assistantUrl, denial, id, target, textOf, visits } from './samples.ts';

const page = (denied: Denial = denial, about: About = visits()): string => textOf(answers.denied(denied, about));
const documentOf = (answer: Answer): { html: string; csp: string } => ({
  html: textOf(answer),
  csp: answer.headers['Content-Security-Policy'] ?? '',
});
const refresh = /<meta http-equiv="refresh" content="(\d+);url=([^"]+)"/;

describe('the redirect page', () => {
  test('loads nothing and runs nothing', () => {
    expectSoundPage(documentOf(answers.denied(denial, visits())));
    expectSoundPage(documentOf(createAnswers(samples.hostileSettings).denied(samples.hostileDenial, visits())));
  });

  test('says the whole matter in its title', () => {
    expect(page()).toContain('<title>Blocked by company policy: Claude Code — use Qoder</title>');
    expect(page({ ...denial, assistant: null, service: null })).toContain(
      '<title>Blocked by company policy: claude.ai</title>',
    );
  });

  test('says what, why, since when, by which rule, and under which id', () => {
    const shown = page().replace(/<[^>]+>/g, ' ');
    for (const text of [
      'Claude Code (Anthropic)',
      'claude.ai',
      'High-risk: source code may not leave the company',
      '10 July 2026',
      'claude-ban',
      id,
      'Northwind',
    ])
      expect(shown).toContain(text);
    expect(page()).toContain(`href="http://127.0.0.1:8128/blocked/${id}"`);
  });

  test('leads on by a button, and by itself to the same address', () => {
    const onward = `${assistantUrl}?sallyport=anthropic-${id}-${samples.at}`;
    expect(page()).toContain(`<a class="button" href="${onward}">`);
    expect(refresh.exec(page())?.slice(1)).toEqual(['8', onward]);
  });

  test.each<[string, Denial, About, boolean]>([
    ['a window', denial, visits({ 'sec-fetch-dest': 'document' }), true],
    ['a browser that does not say', denial, visits(), true],
    ['a frame', denial, visits({ 'sec-fetch-dest': 'iframe' }), false],
    ['an embedded document', denial, visits({ 'sec-fetch-dest': 'embed' }), false],
    ['the address of the assistant itself', denial, { ...visits(), target: target('assistant.example') }, false],
  ])('%s: moves on by itself: %4$s', (_what, denied, about, moves) => {
    const shown = page(denied, about);
    expect(refresh.test(shown)).toBe(moves);
    expect(shown.includes('You will be taken there')).toBe(moves);
    expect(shown).toContain('<a class="button"');
  });

  test.each<[string, Denial['assistant']]>([
    ['none', null],
    ['one that is not on the web', { id: 'q', name: 'Qoder', url: 'javascript:alert(1)' }],
    ['one whose address is endless', { id: 'q', name: 'Qoder', url: `https://a.example/${'x'.repeat(100_000)}` }],
  ])('with %s for assistant leads nowhere', (_what, assistant) => {
    const shown = page({ ...denial, assistant });
    expect(shown).not.toMatch(refresh);
    expect(shown).not.toContain('<a class="button"');
    expect(shown).not.toContain('javascript:');
  });

  test.each([
    ['https://tickets.example/new?a=1&b=2', '<a href="https://tickets.example/new?a=1&amp;b=2">Request access</a>'],
    ['help@northwind.example', '<a href="mailto:help@northwind.example">'],
    ['javascript:alert(1)', 'Ask <bdi>javascript:alert(1)</bdi>'],
    [null, '<a href="mailto:it@northwind.example">'],
  ])('the way to ask: %s', (link, expected) => {
    expect(page({ ...denial, link }).replace(/\s+/g, ' ')).toContain(expected);
  });

  test('is not much larger for hostile text', () => {
    const plain = page().length;
    expect(page(samples.hostileDenial).length).toBeLessThan(plain + 6000);
  });
});
