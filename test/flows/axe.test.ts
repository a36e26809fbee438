/** Whether axe-core, the checker that accessibility audits use, has anything to say about the pages. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBrowserLab, type BrowserLab } from '../support/browser-lab.ts';
import { noBrowser } from '../support/chromium.ts';

/** Evaluated by the inspector, which the Content-Security-Policy of the pages does not hold back. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const openAll = `for (const part of document.querySelectorAll('details')) part.open = true`;
/** All its rules, also those that are only good practice. */
const run = `axe.run(document, { resultTypes: ['violations', 'incomplete'] })`;

const logo =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><rect width="40" height="20" fill="#e4002b"/></svg>';

const pictureWidth = "document.querySelector('header img').naturalWidth";

const settings = (name: string, more: object) =>
  JSON.stringify({ company: { name, contact: 'it@acme.test', ...more } });

/** What axe complains of, and what it could not tell, in one line each. */
async function complaints(page: Page): Promise<string[]> {
  await page.evaluate(openAll);
  await page.evaluate(axe);
  const { violations, incomplete, passes } = await page.evaluate<AxeResults>(run);
  expect(passes.length, 'axe looked at the page').toBeGreaterThan(15);
  return [...violations, ...incomplete].map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`,
  );
}

describe.skipIf(noBrowser)('axe-core', () => {
  let it: BrowserLab;
  beforeAll(async () => {
    it = await startBrowserLab();
  });
  afterAll(() => it.close());

  const openers = {
    block: (page: Page) => page.goto('https://claude.ai/'),
    assistant: (page: Page) => page.goto('https://gemini.google.com/'),
    details: async (page: Page) => {
      await page.goto('https://claude.ai/');
      await page.locator('.timed a').click();
      await page.waitForURL('**/blocked/*');
    },
    home: async (page: Page) => {
      await page.goto('https://claude.ai/');
      await page.goto(it.pagesUrl);
      await page.locator('#blocks').waitFor();
    },
    'not found': (page: Page) => page.goto(`${it.pagesUrl}/nothing`),
  };
  const names = Object.keys(openers) as (keyof typeof openers)[];
  const wide = { width: 1280, height: 800 };
  const narrow = { width: 320, height: 568 };
  const looks = names.flatMap((name) =>
    (['light', 'dark'] as const).flatMap((colorScheme) =>
      [wide, narrow].map((viewport) => ({ name, colorScheme, viewport, width: viewport.width })),
    ),
  );

  test.each(looks)('$name, $colorScheme, $width pixels wide: nothing to say', async ({ name, ...look }) => {
    const page = await it.newPage(look);
    await openers[name](page);
    expect(await complaints(page)).toEqual([]);
  });

  test.each(names)('%s in Chinese: nothing to say', async (name) => {
    const page = await it.newPage({ locale: 'zh-CN' });
    await openers[name](page);
    expect(await page.locator('html').getAttribute('lang')).toBe('zh');
    expect(await complaints(page)).toEqual([]);
  });

  test.each(['light', 'dark'] as const)(
    'in the colour of a company and with its logo, %s: nothing to say',
    async (colorScheme) => {
      const before = readFileSync(it.lab.file, 'utf8');
      writeFileSync(join(it.lab.dir, 'logo.svg'), logo);
      const own = before.replace(
        /^pages:\n(?: .*\n)+/m,
        `pages: ${settings('Acme', { logo: 'logo.svg', colour: '#ffe600' })}\n`,
      );
      writeFileSync(it.lab.file, own);
      expect(it.lab.gateway.reload(), it.lab.told.join('\n')).toBe(true);
      const page = await it.newPage({ colorScheme });
      await openers.block(page);
      expect(await complaints(page)).toEqual([]);
      expect(await page.evaluate<number>(pictureWidth)).toBeGreaterThan(0);
      writeFileSync(it.lab.file, before);
      expect(it.lab.gateway.reload()).toBe(true);
    },
  );

  test('has something to say about a page that is not like that', async () => {
    const page = await it.newPage();
    await page.setContent('<main><h1>x</h1><img src="data:image/png;base64,AAAA"><a href="/"></a></main>');
    await page.evaluate(axe);
    const { violations } = await page.evaluate<AxeResults>(run);
    expect(violations.map(({ id }) => id)).toEqual(expect.arrayContaining(['image-alt', 'link-name', 'html-has-lang']));
  });
});
