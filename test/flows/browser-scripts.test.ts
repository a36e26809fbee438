/** What the scripts and frames of an allowed web page get to know when they reach for a denied service. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBrowserLab, type BrowserLab } from '../support/browser-lab.ts';
import { noBrowser } from '../support/chromium.ts';
import type { LogLine } from '../support/lab.ts';

interface Fetched {
  readonly status: number;
  readonly type: string | null;
  readonly proxyError: string | null;
  readonly body: string;
}

/** In the page: fetches and tells what a script can read of the answer. */
const fetched = (url: string, init: object): string => `(async () => {
  const answer = await fetch(${JSON.stringify(url)}, ${JSON.stringify(init)});
  const field = (name) => answer.headers.get(name);
  return { status: answer.status, type: field('content-type'), proxyError: field('x-proxy-error'), body: await answer.text() };
})()`;

const headers = { 'content-type': 'application/json', authorization: 'Bearer x' };
const reason = 'ChatGPT is not approved.';

describe.skipIf(noBrowser)('a script of an allowed page', () => {
  let it: BrowserLab;
  beforeAll(async () => {
    it = await startBrowserLab();
  });
  afterAll(() => it.close());

  async function allowedPage(): Promise<Page> {
    const page = await it.newPage();
    await page.goto(it.app.url);
    return page;
  }

  test.each([
    { what: 'simple', url: 'https://api.openai.com/v1/models', init: {} },
    {
      what: 'preflighted',
      url: 'https://api.openai.com/v1/chat/completions',
      init: { method: 'POST', headers, body: '{"stream":true}' },
    },
    { what: 'credentialed', url: 'https://chatgpt.com/backend-api/me', init: { credentials: 'include', headers } },
  ])('reads the reason from a $what fetch', async ({ url, init }) => {
    const page = await allowedPage();
    const answer = await page.evaluate<Fetched>(fetched(url, init));
    expect(answer).toMatchObject({ status: 403, type: 'application/json', proxyError: 'policy_denied' });
    expect(JSON.parse(answer.body)).toMatchObject({
      error: { message: expect.stringContaining(reason) as string, code: 'blocked_by_policy' },
      policy: { vendor: 'openai', rule: 'openai-ban', assistant: `${it.pagesUrl}/assistant` },
    });
  });

  test('reads the error of Anthropic in the shape of Anthropic', async () => {
    const page = await allowedPage();
    const init = { method: 'POST', headers: { 'content-type': 'application/json', 'x-api-key': 'x' }, body: '{}' };
    const answer = await page.evaluate<Fetched>(fetched('https://api.anthropic.com/v1/messages', init));
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({
      type: 'error',
      error: { message: expect.stringContaining('high-risk') as string },
    });
  });

  test.each([
    ['a WebSocket', []],
    ['one that asks for subprotocols', ['realtime', 'openai-insecure-api-key.sk-x']],
  ])('reads the reason from the close of %s', async (_which, protocols) => {
    const page = await allowedPage();
    const before = await it.lab.metric('sallyport_blocked_total', 'answer="websocket"');
    const closed = await page.evaluate<{ code: number; reason: string; clean: boolean }>(`new Promise((resolve) => {
      const socket = new WebSocket('wss://api.openai.com/v1/realtime', ${JSON.stringify(protocols)});
      socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, clean: wasClean });
    })`);
    expect(closed).toMatchObject({ code: 1008, clean: true });
    expect(closed.reason).toContain('Blocked by company policy: OpenAI API');
    await expect.poll(() => it.lab.metric('sallyport_blocked_total', 'answer="websocket"')).toBe(before + 1);
  });

  test('has an EventSource that does not try again', async () => {
    const page = await allowedPage();
    const state = await page.evaluate<number>(`new Promise((resolve) => {
      const source = new EventSource('https://api.openai.com/v1/events');
      source.onerror = () => resolve(source.readyState);
    })`);
    expect(state, 'CLOSED').toBe(2);
  });

  test('gets no image, and no page in its place', async () => {
    const page = await allowedPage();
    const event = await page.evaluate<string>(`new Promise((resolve) => {
      const image = new Image();
      image.onload = image.onerror = ({ type }) => resolve(type);
      image.src = 'https://chatgpt.com/logo.png';
    })`);
    expect(event).toBe('error');
    const line = (): LogLine | undefined => it.lab.lines().find(({ url }) => url?.path === '/logo.png');
    await expect.poll(line).toMatchObject({
      rule: { id: 'openai-ban' },
      destination: { bytes: 0 },
      sallyport: { outcome: 'blocked', answer: 'subresource' },
    });
  });

  test('shows the reason in a frame, and the frame stays where it is', async () => {
    const page = await allowedPage();
    await page.evaluate<undefined>(`new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.onload = () => resolve();
      frame.src = 'https://claude.ai/embed';
      document.body.append(frame);
    })`);
    const frame = page.frameLocator('iframe');
    expect(await frame.locator('h1').innerText()).toBe('Claude is not available here');
    expect(await frame.locator('body').innerText()).toContain('Claude Code is classified as high-risk.');
    expect(await frame.locator('meta[http-equiv=refresh]').count()).toBe(0);
    expect(await frame.locator('body').innerText()).not.toContain('You will be taken there');
    expect(page.url()).toBe(it.app.url);
    const [opened] = await Promise.all([page.waitForEvent('popup'), frame.locator('a.button').click()]);
    await opened.waitForURL(/\/assistant\?/);
    expect(await opened.locator('h1').innerText()).toContain('Welcome to');
    await opened.close();
  });
});
