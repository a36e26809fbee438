import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { readLogo } from '../../src/config/logo.ts';
import { complaint, withConfig } from './folder.ts';

const svg = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>';
const png = Buffer.from('89504e470d0a1a0a0000', 'hex');

describe('the logo', () => {
  test.each([
    ['an SVG', Buffer.from(svg), 'image/svg+xml'],
    ['an SVG without a head', Buffer.from('\n<svg viewBox="0 0 1 1"/>'), 'image/svg+xml'],
    ['a PNG', png, 'image/png'],
    ['a JPEG', Buffer.from('ffd8ffe0', 'hex'), 'image/jpeg'],
    ['a WebP', Buffer.from('RIFF0000WEBPVP8 '), 'image/webp'],
  ])('%s becomes a data: URL by what is in it', (_name, bytes, type) => {
    withConfig({}, (_file, dir) => {
      const file = join(dir, 'picture');
      writeFileSync(file, bytes);
      expect(readLogo(file)).toBe(`data:${type};base64,${bytes.toString('base64')}`);
    });
  });

  const settings = 'pages: { company: { logo: logo.svg, colour: "#1D4FD7" } }\n';

  test('is read from beside the configuration', () => {
    withConfig({ 'sallyport.yaml': settings, 'logo.svg': svg }, (file) => {
      const { company } = loadConfig(file).pages;
      expect(company.logo).toMatch(/^data:image\/svg\+xml;base64,/);
      expect(company.colour).toBe('#1d4fd7');
    });
  });

  test.each([
    ['one that is not there', {}, 'logo.svg: the logo cannot be read (ENOENT); correct pages.company.logo'],
    [
      'a page',
      { 'logo.svg': '<!doctype html><svg/>' },
      'logo.svg: the logo is not an image that pages can show; use SVG, PNG, JPEG or WebP',
    ],
    [
      'a large one',
      { 'logo.svg': svg + ' '.repeat(40_000) },
      'logo.svg: the logo has 40062 bytes; make it 32768 or less',
    ],
  ])('%s is refused', (_name, files, line) => {
    expect(complaint({ 'sallyport.yaml': settings, ...files })).toBe(line);
  });
});
