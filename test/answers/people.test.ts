import { describe, expect, test } from 'vitest';
import { assistantPage, blockedDetailsPage, notFoundPage } from '../../src/answers/people.ts';
import { phrasesFor } from '../../src/answers/phrases.ts';
import type { BlockFacts, CameFrom } from '../../src/answers/people.ts';
import { expectSoundPage } from './documents.ts';
import { at, denial, hostile, id, settings } from './samples.ts';

const { company } = settings;
const detailsUrl = `http://127.0.0.1:8128/blocked/${id}`;

const block: BlockFacts = {
  id,
  at,
  host: 'claude.ai',
  vendor: 'Anthropic',
  product: 'Claude Code',
  rule: 'claude-ban',
  reason: 'High-risk',
  assistant: denial.assistant,
  link: 'https://tickets.example/new',
  answer: 'page',
};

const wordsOf = (html: string): string => html.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

describe("the assistant's stand-in", () => {
  test.each<[CameFrom, string, boolean]>([
    [{ kind: 'nowhere' }, 'Welcome to Qoder', false],
    [{ kind: 'block', vendor: 'Anthropic', id, detailsUrl }, 'on your way to Anthropic', true],
    [{ kind: 'block', vendor: null, id, detailsUrl: null }, 'on your way to another AI service', true],
    [{ kind: 'unverified', why: 'malformed' }, 'is incomplete', false],
    [{ kind: 'unverified', why: 'forged' }, 'not made by this proxy', false],
    [{ kind: 'unverified', why: 'expired' }, 'has expired', false],
  ])('from %o', (from, text, showsId) => {
    const page = assistantPage({ company, name: 'Qoder', from });
    expectSoundPage(page);
    expect(wordsOf(page.html)).toContain(text);
    expect(page.html.includes(id)).toBe(showsId);
  });

  test('hostile words stay words', () => {
    expectSoundPage(
      assistantPage({
        company,
        name: hostile,
        from: { kind: 'block', vendor: hostile, id: hostile, detailsUrl: null },
      }),
    );
  });
});

describe('the details of a block', () => {
  test('says what is known', () => {
    const page = blockedDetailsPage({ company, block, acceptLanguage: '' });
    expectSoundPage(page);
    for (const text of ['Claude Code', 'Anthropic', 'claude.ai', 'claude-ban', 'High-risk', '09:41 UTC', id])
      expect(wordsOf(page.html)).toContain(text);
    expect(page.html).toContain('href="https://tickets.example/new"');
    expect(page.html).toContain(`class="button" href="${denial.assistant?.url ?? ''}"`);
  });

  test('says the host where nothing else is known', () => {
    const bare = { ...block, vendor: null, product: null, assistant: null, link: null, answer: null };
    const { html } = blockedDetailsPage({
      company: { name: 'Northwind', contact: null },
      block: bare,
      acceptLanguage: '',
    });
    expect(wordsOf(html)).toContain('claude.ai was blocked');
    expect(html).not.toMatch(/<dt>(?:Service|Vendor|Ask|Answered as)</);
    expect(html).not.toContain('class="button"');
  });

  test('hostile words stay words', () => {
    const assistant = { id: hostile, name: hostile, url: hostile };
    const words = { vendor: hostile, product: hostile, rule: hostile, reason: hostile, link: hostile, assistant };
    expectSoundPage(
      blockedDetailsPage({
        company: { name: hostile, contact: hostile },
        block: { ...block, ...words },
        acceptLanguage: hostile,
      }),
    );
  });
});

test('the details in Chinese, with the reason in the language that it is written in', () => {
  const told = { ...block, reasons: { en: 'High-risk', zh: '高风险' } };
  const page = blockedDetailsPage({ company, block: told, acceptLanguage: 'zh-CN,zh;q=0.9,en;q=0.8' });
  expectSoundPage(page, 'zh');
  for (const text of ['Claude Code 已被阻止', '高风险', '2026年8月3日 09:41 UTC'])
    expect(wordsOf(page.html)).toContain(text);
  const byDefault = blockedDetailsPage({ company, block: told, acceptLanguage: 'fr', language: 'zh' });
  expect(wordsOf(byDefault.html)).toContain('高风险');
});

test('a page that is not there, in Chinese', () => {
  const page = notFoundPage(company, phrasesFor('zh'));
  expectSoundPage(page, 'zh');
  expect(page.html).toContain('有疑问？');
});

test('a page that is not there, with and without a company', () => {
  expectSoundPage(notFoundPage());
  expectSoundPage(notFoundPage(company));
  expect(notFoundPage(company).html).toContain('Northwind');
});

test('our own pages are in nobody’s frame', () => {
  for (const { csp } of [notFoundPage(), blockedDetailsPage({ company, block, acceptLanguage: '' })])
    expect(csp).toContain("frame-ancestors 'none'");
});
