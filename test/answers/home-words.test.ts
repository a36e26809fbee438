import { describe, expect, test } from 'vitest';
import { assistantPage } from '../../src/answers/people.ts';
import { homePage } from '../../src/answers/home.ts';
import { homeWords } from '../../src/answers/home-words.ts';
import { html, render } from '../../src/answers/html.ts';
import { phrasesFor } from '../../src/answers/phrases.ts';
import { setUpWords } from '../../src/answers/set-up-words.ts';
import { expectSoundPage } from './documents.ts';
import { at, hostile, settings } from './samples.ts';

/** Every text, those that are made with the same arguments. */
function all(language: 'en' | 'zh'): string[] {
  const [one, two] = [html`<b>1</b>`, html`<b>2</b>`];
  const { assistant, ...home } = homeWords(language);
  const made = [
    home.title('A1'),
    ...[
      home.heading(one),
      home.loaded(7, 'B2', one),
      home.loaded(1, 'B2', one),
      home.block(one, 'B2', two),
      home.pause(one, 'B2'),
    ].map(render),
    home.inForce(7),
    assistant.title('A1'),
    ...[assistant.welcome(one), assistant.standIn(one), assistant.onTheWay(one), assistant.reference(one)].map(render),
  ];
  const plain = [home, assistant, assistant.doubts, setUpWords(language)].flatMap((words): unknown[] =>
    Object.values(words),
  );
  return [...made, ...plain.filter((text): text is string => typeof text === 'string')];
}

test('each language says everything in its own words, and names what it is about', () => {
  const [english, chinese] = [all('en'), all('zh')];
  expect(chinese).toHaveLength(english.length);
  english.forEach((text, index) => {
    expect(chinese[index]).not.toBe(text);
    expect(chinese[index]).toMatch(/\p{Script=Han}/u);
    const names = (said = ''): string[] => said.match(/<b>\d<\/b>|A1|B2|\b[17]\b(?! ?\.)/g) ?? [];
    expect(new Set(names(chinese[index]))).toEqual(new Set(names(text)));
  });
});

describe('in Chinese', () => {
  const phrases = phrasesFor('zh-CN');
  const home = {
    company: settings.company,
    proxyAddress: '127.0.0.1:3128',
    pacUrl: 'http://127.0.0.1:8128/proxy.pac',
    wpadUrl: 'http://127.0.0.1:8128/wpad.dat',
    caPemUrl: 'http://127.0.0.1:8128/ca.pem',
    caCrtUrl: 'http://127.0.0.1:8128/ca.crt',
    caFingerprint: '5E:2A:91',
    assistantUrl: hostile,
    version: '0.1.0',
    policy: { rules: 7, hash: '3fa1c09b77de', loadedAt: at },
    exceptions: 2,
    pauses: [{ vendor: hostile, until: at }],
    adminUrl: null,
    blocks: [{ id: 'a'.repeat(24), at, host: hostile, product: null, rule: hostile }],
    trusted: false,
    phrases,
  };

  test('the home page is sound and has the same commands', () => {
    const page = homePage(home);
    expectSoundPage(page, 'zh');
    expect(page.language).toBe('zh');
    const commands = (text: string): string[] => text.match(/<pre[^>]*><code>[^]*?<\/code>/g) ?? [];
    const bare = (text: string): string => text.replace(/aria-label="[^"]*"/, '');
    const english = commands(homePage({ ...home, phrases: phrasesFor('en') }).html).map(bare);
    expect(commands(page.html).map(bare)).toEqual(english);
    expect(english.length).toBeGreaterThan(12);
  });

  test.each([
    { kind: 'nowhere' } as const,
    { kind: 'block', vendor: hostile, id: 'i', detailsUrl: null } as const,
    { kind: 'block', vendor: null, id: 'i', detailsUrl: '/blocked/i' } as const,
    { kind: 'unverified', why: 'expired' } as const,
  ])('the stand-in for the assistant is sound: %j', (from) => {
    const page = assistantPage({ company: settings.company, name: 'Qoder', from, phrases });
    expectSoundPage(page, 'zh');
    expect(page.html).toContain('lang="zh"');
    expect(page.html).toContain('欢迎使用 <bdi>Qoder</bdi>');
  });
});
