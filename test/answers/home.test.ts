import { describe, expect, test } from 'vitest';
import { homePage } from '../../src/answers/home.ts';
import type { HomeModel } from '../../src/answers/home.ts';
import { expectSoundPage } from './documents.ts';
import { at, hostile, settings } from './samples.ts';

const model: HomeModel = {
  company: settings.company,
  proxyAddress: '127.0.0.1:3128',
  pacUrl: 'http://127.0.0.1:8128/proxy.pac',
  wpadUrl: 'http://127.0.0.1:8128/wpad.dat',
  caPemUrl: 'http://127.0.0.1:8128/ca.pem',
  caCrtUrl: 'http://127.0.0.1:8128/ca.crt',
  caFingerprint: '5E:2A:91',
  assistantUrl: 'http://127.0.0.1:8128/assistant',
  version: '0.1.0',
  policy: { rules: 7, hash: '3fa1c09b77de', loadedAt: at },
  exceptions: 0,
  pauses: [],
  adminUrl: null,
  blocks: [],
  trusted: null,
};

const { html } = homePage(model);

describe('the home page', () => {
  test('is sound, with hostile words too', () => {
    expectSoundPage(homePage(model));
    expectSoundPage(homePage({ ...model, company: { name: hostile, contact: hostile }, assistantUrl: hostile }));
  });

  test.each(['127.0.0.1:3128', '7 rules, loaded 3 August 2026, 09:41 UTC', '3fa1c09b77de', '0.1.0', '5E:2A:91'])(
    'says %s',
    (text) => {
      expect(html).toContain(text);
    },
  );

  test.each([model.pacUrl, model.caPemUrl, model.caCrtUrl, model.assistantUrl ?? ''])('links to %s', (url) => {
    expect(html).toContain(`href="${url}"`);
  });

  test('lists what was blocked on the machine that looks at it, and says nothing where there was nothing', () => {
    const own = { id: 'a'.repeat(24), at, host: 'claude.ai', product: 'Claude', rule: 'claude-ban' };
    const other = { ...own, id: 'b'.repeat(24), product: null, host: hostile, rule: hostile };
    const page = homePage({ ...model, blocks: [own, other] });
    expectSoundPage(page);
    expect(page.html.replace(/\s+/g, ' ')).toContain(
      `<a href="/blocked/${own.id}"><bdi>Claude</bdi></a>, 3 August 2026, 09:41 UTC, rule <code>claude-ban</code>`,
    );
    expect(page.html).toContain(`href="/blocked/${other.id}"`);
    expect(html).not.toContain('What was blocked');
  });

  test('says what is paused and until when, and how many exceptions there are, and nothing where there is none', () => {
    const pauses = [
      { vendor: 'OpenAI', until: at },
      { vendor: null, until: at },
      { vendor: hostile, until: at },
    ];
    const page = homePage({ ...model, exceptions: 2, pauses });
    expectSoundPage(page);
    const text = page.html.replace(/\s+/g, ' ');
    expect(text).toContain('<li><bdi>OpenAI</bdi>, until 3 August 2026, 09:41 UTC</li>');
    expect(text).toContain('<li>Every AI vendor, until 3 August 2026, 09:41 UTC</li>');
    expect(text).toContain('2 in force');
    expect(html).not.toMatch(/Not blocked for now|in force/);
  });

  test.each([
    [true, 'has accepted it'],
    [false, 'install it there too'],
    [null, 'once something has been blocked'],
  ])('trusted: %s is told', (trusted, text) => {
    const page = homePage({ ...model, trusted });
    expectSoundPage(page);
    expect(page.html).toContain(text);
  });

  test('says so where there is no certificate authority, no assistant, and one rule', () => {
    const bare = homePage({
      ...model,
      caFingerprint: null,
      assistantUrl: null,
      adminUrl: 'http://127.0.0.1:9128',
      policy: { ...model.policy, rules: 1 },
    });
    expectSoundPage(bare);
    expect(bare.html).toContain('has no certificate authority');
    expect(bare.html).toContain('1 rule,');
    expect(bare.html).toContain('href="http://127.0.0.1:9128"');
    expect(bare.html).not.toContain('Go to the approved assistant');
  });
});
