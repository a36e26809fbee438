import { describe, expect, test } from 'vitest';
import { serialize } from '../../src/act/write.ts';
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
const refreshOf = (denied: Denial = denial, about: About = visits()): string | undefined =>
  answers.denied(denied, about).headers['Refresh'];

describe('the redirect page', () => {
  test('loads nothing and runs nothing', () => {
    expectSoundPage(documentOf(answers.denied(denial, visits())));
    expectSoundPage(
      documentOf(createAnswers(samples.hostileSettings, serialize).denied(samples.hostileDenial, visits())),
    );
  });

  test('says the whole matter in its title', () => {
    expect(page()).toContain('<title>Blocked by company policy: Claude Code — use Qoder</title>');
    expect(page({ ...denial, assistant: null, service: null })).toContain(
      '<title>Blocked by company policy: claude.ai</title>',
    );
  });

  test('says who answers for the rule, and where it is set out, where the policy does', () => {
    const shown = page({ ...denial, owner: 'Information <Security>', details: 'https://wiki.corp.test/ai?a=1&b=2' });
    expect(shown).toContain('Information &lt;Security&gt;');
    expect(shown).toContain('href="https://wiki.corp.test/ai?a=1&amp;b=2"');
    expect(page()).not.toContain('Responsible');
    expect(page({ ...denial, details: 'javascript:alert(1)' })).not.toContain('javascript:');
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
    expect(refreshOf()).toBe(`8; url=${onward}`);
  });

  test.each<[string, Denial, About, boolean]>([
    ['a window', denial, visits({ 'sec-fetch-dest': 'document' }), true],
    ['a browser that does not say', denial, visits(), true],
    ['a frame', denial, visits({ 'sec-fetch-dest': 'iframe' }), false],
    ['an embedded document', denial, visits({ 'sec-fetch-dest': 'embed' }), false],
    ['the address of the assistant itself', denial, { ...visits(), target: target('assistant.example') }, false],
  ])('%s: moves on by itself: %4$s', (_what, denied, about, moves) => {
    const shown = page(denied, about);
    expect(refreshOf(denied, about) !== undefined).toBe(moves);
    expect(shown.includes('You will be taken there')).toBe(moves);
    expect(shown).toContain('<a class="button"');
  });

  test.each<[string, Denial['assistant']]>([
    ['none', null],
    ['one that is not on the web', { id: 'q', name: 'Qoder', url: 'javascript:alert(1)' }],
    ['one whose address is endless', { id: 'q', name: 'Qoder', url: `https://a.example/${'x'.repeat(100_000)}` }],
  ])('with %s for assistant leads nowhere', (_what, assistant) => {
    const shown = page({ ...denial, assistant });
    expect(refreshOf({ ...denial, assistant })).toBeUndefined();
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

  test('speaks Chinese to a browser that asks for it, and leaves English words alone', () => {
    const reasons = { en: 'High-risk', zh: '高风险：源代码不得离开公司' };
    const answer = answers.denied({ ...denial, reasons }, visits({ 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' }));
    expectSoundPage(documentOf(answer), 'zh');
    expect(answer.headers['Content-Language']).toBe('zh');
    const shown = textOf(answer);
    for (const text of [
      '<title>已被公司政策阻止：Claude Code — 请改用 Qoder</title>',
      '2026年7月10日',
      '秒后将自动为您跳转',
    ])
      expect(shown).toContain(text);
    expect(shown).toContain('<bdi lang="zh">高风险：源代码不得离开公司</bdi>');
    expect(shown.replace(/<[^>]+>/g, ' ')).not.toMatch(/Reference|Blocked|instead|policy/);
  });

  test.each<[string, Denial['reasons'], string]>([
    ['fr-CA, en;q=0.5', { en: 'No.', fr: 'Non.' }, '<bdi lang="fr">Non.</bdi>'],
    ['es', { en: 'No.', fr: 'Non.' }, '<bdi lang="en">No.</bdi>'],
    ['es', { de: 'Nein.', fr: 'Non.' }, '<bdi>High-risk: source code may not leave the company</bdi>'],
    ['zh', undefined, '<bdi>High-risk: source code may not leave the company</bdi>'],
  ])('asked for %s, the reason %o is told as %s', (wanted, reasons, expected) => {
    expect(page({ ...denial, reasons }, visits({ 'accept-language': wanted }))).toContain(expected);
  });

  test('tells how to move over from the product, or from its vendor', () => {
    const withHints = (migrations: NonNullable<Denial['assistant']>['migrations']): Denial => ({
      ...denial,
      assistant: { id: 'qoder', name: 'Qoder', url: assistantUrl, migrations },
    });
    const hints = {
      'anthropic/claude-code': { en: 'Install Qoder CLI.', zh: '请安装 Qoder CLI。' },
      anthropic: { en: 'Any.' },
    };
    expect(page(withHints(hints)).replace(/\s+/g, ' ')).toContain('<p><bdi lang="en">Install Qoder CLI.</bdi></p>');
    expect(page(withHints(hints), visits({ 'accept-language': 'zh' }))).toContain('请安装 Qoder CLI。');
    expect(page(withHints({ anthropic: { en: 'Any.' } }))).toContain('Any.');
    expect(page(withHints({ openai: { en: 'Any.' } }))).not.toContain('Any.');
    expect(textOf(answers.denied(withHints(hints), samples.asks()))).toContain(
      `instead: ${assistantUrl} Install Qoder CLI. Reason:`,
    );
  });

  test('where the browser asks for no language of ours, the configured one is spoken', () => {
    const chinese = createAnswers({ ...samples.settings, language: 'zh' }, serialize);
    expect(textOf(chinese.denied(denial, visits({ 'accept-language': 'fr' })))).toContain('<html lang="zh">');
    expect(textOf(chinese.denied(denial, visits({ 'accept-language': 'en-GB' })))).toContain('<html lang="en">');
  });

  test('is not much larger for hostile text', () => {
    const plain = page().length;
    expect(page(samples.hostileDenial).length).toBeLessThan(plain + 6000);
  });
});
