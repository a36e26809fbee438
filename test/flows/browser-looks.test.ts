/**
 * Whether people can read the pages: by day and by night, on the smallest phone, and without a complaint of the
 * browser.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBrowserLab, type BrowserLab } from '../support/browser-lab.ts';
import { noBrowser } from '../support/chromium.ts';

interface Contrast {
  readonly ratio: number;
  readonly text: string;
  readonly colours: string;
}

/**
 * In the page: the contrast of each visible piece of text with what is behind it (WCAG 2.2, sections 1.4.3 and
 * "relative luminance"), the worst first.
 */
const contrasts = `(() => {
  const parts = (colour) => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (colour.match(/[\\d.]+/g) ?? []).map(Number);
    return { channels: [red, green, blue], alpha };
  };
  const linear = (channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const luminance = (colour) => {
    const [red, green, blue] = parts(colour).channels.map(linear);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return parts(backgroundColor).alpha === 1 ? backgroundColor : ground(element.parentElement);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (text === '' || element.closest('style') !== null || !element.checkVisibility()) continue;
    const { color } = getComputedStyle(element);
    const behind = ground(element);
    const [dark, light] = [luminance(color), luminance(behind)].sort((a, b) => a - b);
    found.push({ ratio: (light + 0.05) / (dark + 0.05), text, colours: color + ' on ' + behind });
  }
  return found.sort((a, b) => a.ratio - b.ratio);
})()`;

const openAll = `for (const part of document.querySelectorAll('details')) part.open = true`;
const widest = 'Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)';
const groundColour = 'getComputedStyle(document.body).backgroundColor';

describe.skipIf(noBrowser)('the pages', () => {
  let it: BrowserLab;
  beforeAll(async () => {
    it = await startBrowserLab();
  });
  afterAll(() => it.close());

  const openers = {
    block: (page: Page) => page.goto('https://claude.ai/'),
    details: async (page: Page) => {
      await page.goto('https://claude.ai/');
      await page.getByRole('link', { name: 'Stay and read the details' }).click();
      await page.waitForURL('**/blocked/*');
    },
    assistant: (page: Page) => page.goto('https://gemini.google.com/'),
    home: (page: Page) => page.goto(it.pagesUrl),
    'not found': (page: Page) => page.goto(`${it.pagesUrl}/nothing`),
  };
  const pages = Object.keys(openers) as (keyof typeof openers)[];
  const inBoth = pages.flatMap((name) => (['light', 'dark'] as const).map((colorScheme) => ({ name, colorScheme })));

  test.each(inBoth)('$name, $colorScheme: all text stands out from its ground', async ({ name, colorScheme }) => {
    const page = await it.newPage({ colorScheme });
    await openers[name](page);
    await page.evaluate(openAll);
    const found = await page.evaluate<readonly Contrast[]>(contrasts);
    expect(found.length).toBeGreaterThan(5);
    expect(found.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
  });

  test('are light by day and dark by night', async () => {
    const grounds = ['light', 'dark'] as const;
    const colours = grounds.map(async (colorScheme) => {
      const page = await it.newPage({ colorScheme });
      await openers.block(page);
      return page.evaluate<string>(groundColour);
    });
    const [light, dark] = await Promise.all(colours);
    expect(light).not.toBe(dark);
  });

  test.each(pages)('%s fits a screen of 320 pixels', async (name) => {
    const page = await it.newPage({ viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true });
    await openers[name](page);
    await page.evaluate(openAll);
    expect(await page.evaluate<number>(widest)).toBe(320);
  });

  test.each(pages)('%s: the browser has nothing to complain of', async (name) => {
    const page = await it.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      // The one line that every answer with such a status gets.
      if (!/the server responded with a status of 40[34]/.test(message.text())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('requestfailed', (request) => complaints.push(`${request.method()} ${request.url()}`));
    await openers[name](page);
    await page.waitForLoadState('networkidle');
    expect(complaints).toEqual([]);
    expect(await page.evaluate<string>(groundColour), 'the style sheet is in force').not.toBe('rgba(0, 0, 0, 0)');
  });

  test.each(pages)('%s can be walked through by keyboard', async (name) => {
    const page = await it.newPage();
    await openers[name](page);
    await page.keyboard.press('Tab');
    const skip = page.locator(':focus');
    expect(await skip.innerText()).toBe('Skip to content');
    expect((await skip.boundingBox())?.x, 'it can be seen').toBeGreaterThanOrEqual(0);
    expect(await page.locator('h1').count()).toBe(1);
  });
});
