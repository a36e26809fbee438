/** What every page must be: one document that loads nothing, runs nothing, and whose style its own policy allows. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';

export interface Document {
  readonly html: string;
  readonly csp: string;
}

export function expectSoundPage({ html, csp }: Document, language = 'en'): void {
  expect(html.replace(/\s+/g, ' ').startsWith(`<!doctype html> <html lang="${language}">`)).toBe(true);
  expect(html.match(/<title>[^<]+<\/title>/g)).toHaveLength(1);
  expect(html.match(/<main /g)).toHaveLength(1);
  expect(html.match(/<h1>/g)).toHaveLength(1);
  expect(html).toContain('name="viewport"');
  expect(html.length).toBeLessThan(20_000);

  const sheets = Array.from(html.matchAll(/<style>([^]*?)<\/style>/g), ([, sheet]) => sheet ?? '');
  expect(sheets).toHaveLength(1);
  const hash = createHash('sha256').update(sheets.join('')).digest('base64');
  expect(csp).toContain(`default-src 'none'; style-src 'sha256-${hash}';`);
  expect(csp).toContain("base-uri 'none'; form-action 'none'");
  expect(csp).not.toContain('unsafe');

  expect(html).not.toMatch(/<(?:script|link|iframe|object|embed|form|base|audio|video|source|use|image)\b/i);
  expect(html).not.toMatch(/\s(?:on\w+|style|srcset|ping|action)\s*=\s*"/i);
  for (const [, url] of html.matchAll(/\ssrc\s*=\s*"([^"]*)/gi)) expect(url).toMatch(/^data:image\//);
  for (const [tag] of html.matchAll(/<img\b[^>]*>/gi)) expect(tag).toMatch(/^<img src="data:image\/[^"]+" alt="" \/>$/);
  expect(sheets.join('')).not.toMatch(/url\(|@import|@font-face/);
  for (const [, url] of html.matchAll(/href="([^"]*)"/g)) expect(url).toMatch(/^(?:https?:\/\/|mailto:|\/|#)/);
  for (const [, id] of html.matchAll(/aria-labelledby="([^"]*)"/g)) expect(html).toContain(`id="${id ?? ''}"`);
}
