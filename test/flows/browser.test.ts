/** What a person with a real browser lives through: the page that says why, and the way on to the assistant. */
import { X509Certificate } from 'node:crypto';
import type { Page, Response } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBrowserLab, type BrowserLab } from '../support/browser-lab.ts';
import { noBrowser } from '../support/chromium.ts';

/** Goes to an address and gives the answer to that very request, or to the last one of its redirects. */
async function visit(page: Page, url: string): Promise<Response> {
  const response = await page.goto(url);
  if (response === null) throw new Error(`no answer from ${url}`);
  return response;
}

/** What a person can read on the page. */
const text = (page: Page): Promise<string> => page.locator('body').innerText();

describe.skipIf(noBrowser)('a person with Chromium', () => {
  let it: BrowserLab;
  beforeAll(async () => {
    it = await startBrowserLab();
  });
  afterAll(() => it.close());

  const denied = [
    { url: 'https://claude.ai/', product: 'Claude', vendor: 'Anthropic', rule: 'claude-ban', reason: 'high-risk' },
    { url: 'https://chatgpt.com/', product: 'ChatGPT', vendor: 'OpenAI', rule: 'openai-ban', reason: 'not approved' },
    { url: 'http://claude.ai/', product: 'Claude', vendor: 'Anthropic', rule: 'claude-ban', reason: 'high-risk' },
  ];
  test.each(denied)('reads at $url what is blocked and why', async ({ url, product, vendor, rule, reason }) => {
    const page = await it.newPage();
    const before = await it.blocked(rule);
    const response = await visit(page, url);

    expect(response.status()).toBe(403);
    expect(page.url()).toBe(url);
    expect(await page.title()).toBe(`Blocked by company policy: ${product} — use Qoder`);
    expect(await page.locator('h1').innerText()).toBe(`${product} is not available here`);
    const shown = await text(page);
    for (const words of [`${product} (${vendor})`, reason, rule, 'Use Qoder instead', 'it@acme.test']) {
      expect(shown).toContain(words);
    }
    const id = (await response.allHeaders())['x-sallyport-id'];
    expect(id).toMatch(/^[0-9a-f]{24}$/);
    expect(shown).toContain(id);
    expect(it.lab.lines().filter((line) => line.event.id === id)).toMatchObject([{ rule: { id: rule } }]);
    await expect.poll(() => it.blocked(rule)).toBe(before + 1);
  });

  test('is counted once for each visit, with the answer that it got', async () => {
    const page = await it.newPage();
    const series = ['vendor="anthropic"', 'product="claude"', 'rule="claude-ban"', 'answer="page"'];
    const before = await it.lab.metric('sallyport_blocked_total', ...series);
    const all = await it.blocked('claude-ban');
    for (const path of ['new', 'chats', 'settings']) await visit(page, `https://claude.ai/${path}`);
    await expect.poll(() => it.lab.metric('sallyport_blocked_total', ...series)).toBe(before + 3);
    expect(await it.blocked('claude-ban')).toBe(all + 3);
  });

  test('is taken to the assistant by the page itself, without any script', async () => {
    const page = await it.newPage({ javaScriptEnabled: false });
    const response = await visit(page, 'https://claude.ai/');
    const started = performance.now();
    const id = (await response.allHeaders())['x-sallyport-id'] ?? '';
    const seconds = Number(/taken there in (\d+) seconds/.exec(await text(page))?.[1]);

    await page.waitForURL(`${it.pagesUrl}/assistant?**`);
    expect(performance.now() - started).toBeGreaterThan((seconds - 1) * 1000);
    expect(await page.title()).toBe('Qoder — the approved assistant');
    const shown = await text(page);
    expect(shown).toContain('You were on your way to Anthropic');
    expect(shown).toContain(id);
  });

  test('goes on to the assistant by the button', async () => {
    const page = await it.newPage();
    const response = await visit(page, 'https://chatgpt.com/');
    const id = (await response.allHeaders())['x-sallyport-id'] ?? '';
    await page.getByRole('link', { name: 'Continue to Qoder' }).click();

    await page.waitForURL(`${it.pagesUrl}/assistant?**`);
    const shown = await text(page);
    expect(shown).toContain('Welcome to Qoder');
    expect(shown).toContain('You were on your way to OpenAI');
    expect(shown).toContain(id);
    expect(page.url()).not.toContain('chatgpt');
  });

  test('is not told a story by a context that somebody changed', async () => {
    const page = await it.newPage();
    await visit(page, 'https://chatgpt.com/');
    const href = (await page.getByRole('link', { name: 'Continue to Qoder' }).getAttribute('href')) ?? '';
    const [, body = '', seal = ''] = /sallyport=([^.]+)\.(.+)$/.exec(href) ?? [];
    const claims = Buffer.from(body, 'base64url').toString().replace('openai', 'google');
    const changed = `${Buffer.from(claims).toString('base64url')}.${seal}`;
    expect(changed).not.toBe(`${body}.${seal}`);

    await visit(page, `${it.pagesUrl}/assistant?sallyport=${changed}`);
    const shown = await text(page);
    expect(shown).toContain('We cannot tell where you came from');
    expect(shown).not.toContain('Google');
  });

  test('is redirected at once where the rule says so', async () => {
    const page = await it.newPage();
    const before = await it.blocked('gemini-now');
    const response = await visit(page, 'https://gemini.google.com/app?q=secret');
    const first = await response.request().redirectedFrom()?.response();

    expect(first?.status()).toBe(303);
    expect(response.status()).toBe(200);
    expect(page.url()).toMatch(`${it.pagesUrl}/assistant?`);
    expect(page.url()).not.toContain('secret');
    const shown = await text(page);
    expect(shown).toContain('You were on your way to Google');
    expect(shown).toContain((await first?.allHeaders())?.['x-sallyport-id'] ?? 'an id');
    await expect.poll(() => it.blocked('gemini-now')).toBe(before + 1);
  });

  test('who posts a form is shown the page, and what was posted goes nowhere', async () => {
    const page = await it.newPage();
    await visit(page, it.app.url);
    await page.setContent('<form method="post" action="https://gemini.google.com/app"><button>Send</button></form>');
    const answered = page.waitForResponse('https://gemini.google.com/app');
    await page.getByRole('button').click();
    expect((await answered).status()).toBe(403);
    await page.waitForURL('https://gemini.google.com/app');
    expect(await text(page)).toContain('Gemini is not available here');
  });

  test('sees the own certificate of an allowed site', async () => {
    const page = await it.newPage();
    const inspector = await page.context().newCDPSession(page);
    await inspector.send('Network.enable');
    const shownBy = async (origin: string): Promise<X509Certificate> => {
      const { tableNames } = await inspector.send('Network.getCertificate', { origin });
      return new X509Certificate(Buffer.from(tableNames[0] ?? '', 'base64'));
    };
    const response = await visit(page, it.app.url);
    expect(response.status()).toBe(200);
    expect(await text(page)).toContain('An allowed site');
    expect((await shownBy(it.app.url.slice(0, -1))).fingerprint256).toBe(it.app.certificate.fingerprint256);

    await visit(page, 'https://claude.ai/');
    const ours = new X509Certificate(it.lab.ca);
    const leaf = await shownBy('https://claude.ai');
    expect(leaf.checkIssued(ours)).toBe(true);
    expect(leaf.checkHost('claude.ai')).toBe('claude.ai');
    expect(it.app.certificate.checkIssued(ours)).toBe(false);
  });

  test('reads the details of the block instead of going on', async () => {
    const page = await it.newPage();
    const response = await visit(page, 'https://claude.ai/');
    const id = (await response.allHeaders())['x-sallyport-id'] ?? '';
    await page.getByRole('link', { name: 'Stay and read the details' }).click();

    await page.waitForURL(`${it.pagesUrl}/blocked/${id}`);
    const shown = await text(page);
    for (const words of ['Claude was blocked', 'Anthropic', 'claude.ai', 'claude-ban', 'high-risk', id]) {
      expect(shown).toContain(words);
    }
    const unknown = await visit(page, `${it.pagesUrl}/blocked/${'0'.repeat(24)}`);
    expect(unknown.status()).toBe(404);
    expect(await text(page)).toContain('There is nothing here');
  });

  test('finds help to set up the machine at home', async () => {
    const page = await it.newPage();
    await visit(page, `${it.pagesUrl}/`);
    const topics = await page.locator('summary').allInnerTexts();
    expect(topics).toEqual(expect.arrayContaining(['Linux', 'macOS', 'Windows', 'AI command-line tools', 'git']));
    const windows = page.locator('details', { hasText: 'Windows' }).first();
    await windows.locator('summary').click();
    expect(await windows.innerText()).toContain(`${it.pagesUrl}/ca.crt`);
    expect(await text(page)).toContain(new X509Certificate(it.lab.ca).fingerprint256);

    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'PEM' }).click();
    expect((await downloading).suggestedFilename()).toBe('sallyport-ca.pem');
  });
});
