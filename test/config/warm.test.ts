import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { recall, vendorText } from '../../src/config/known-vendors.ts';
import { warmBundle, warmCatalogue } from '../../src/config/warm.ts';
import { repository } from '../support/lab.ts';

function vendors(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-warm-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const name of readdirSync(join(repository, 'config/vendors')).slice(0, 20)) {
    cpSync(join(repository, 'config/vendors', name), join(dir, name));
  }
  return dir;
}

const settings = { key: null, overlay: null };

test('what has changed is read ahead; what is wrong with a file is left for the reload', async () => {
  const dir = vendors();
  const [name = '', broken = ''] = readdirSync(dir);
  const text = `${readFileSync(join(dir, name), 'utf8')}# changed ${Date.now()}\n`;
  writeFileSync(join(dir, name), text);
  writeFileSync(join(dir, broken), 'id: [');
  await warmCatalogue({ ...settings, vendors: dir });
  expect(recall(vendorText(name, text))?.id).toBe(name.replace('.yaml', ''));
  expect(recall(vendorText(broken, 'id: ['))).toBeUndefined();
});

test("a folder that is not there, and a bundle that is none, are the reload's business", async () => {
  await warmCatalogue({ ...settings, vendors: '/nowhere/vendors' });
  await warmCatalogue({ ...settings, vendors: '/nowhere/bundle.json' });
});

test('a bundle is read ahead with turns for others', async () => {
  const dir = vendors();
  const files = readdirSync(dir).flatMap((name) =>
    Array.from(
      { length: 20 },
      (_, i) => [name, `${readFileSync(join(dir, name), 'utf8')}# ${i} ${Date.now()}\n`] as const,
    ),
  );
  let turns = 0;
  const others = setInterval(() => (turns += 1), 0);
  await warmBundle({ created: '2026-01-01T00:00:00Z', files });
  clearInterval(others);
  expect(turns).toBeGreaterThan(2);
  for (const [name, text] of files) expect(recall(vendorText(name, text))).toBeDefined();
});
