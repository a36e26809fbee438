import { describe, expect, test } from 'vitest';
import { framedCsp, ownCsp, sheet } from '../../src/answers/style.ts';

/** The custom properties of one `:root` rule. */
function colours(rule: string): (name: string) => string {
  const found = new Map(Array.from(rule.matchAll(/--([a-z-]+):(#[0-9a-f]+)/g), ([, name, value]) => [name, value]));
  return (name) => {
    const value = (found.get(name) ?? '').slice(1);
    if (value === '') throw new Error(`no colour ${name}`);
    return value.length === 3 ? value.replace(/./g, '$&$&') : value;
  };
}

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = (hex.match(/../g) ?? [])
    .map((pair) => parseInt(pair, 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

const roots = Array.from(sheet.matchAll(/:root\{[^}]*\}/g), ([rule]) => rule);
const themes = [
  ['light', colours(roots[0] ?? '')],
  ['dark', colours(roots[1] ?? '')],
] as const;

describe.each(themes)('%s', (_name, colour) => {
  test.each([
    ['text', 'card'],
    ['text', 'sunk'],
    ['text', 'ground'],
    ['soft', 'card'],
    ['soft', 'sunk'],
    ['soft', 'ground'],
    ['link', 'card'],
    ['link', 'sunk'],
    ['link', 'ground'],
    ['on-act', 'act'],
    ['on-act', 'act-over'],
    ['halt', 'halt-ground'],
    ['good', 'good-ground'],
  ])('%s on %s is readable (WCAG AA)', (front, back) => {
    expect(contrast(colour(front), colour(back))).toBeGreaterThanOrEqual(4.5);
  });
});

test('heeds motion, paper and small screens', () => {
  for (const query of ['prefers-reduced-motion:reduce', 'print', 'max-width:30rem', 'prefers-color-scheme:dark'])
    expect(sheet).toContain(query);
});

test('our own pages are in no frame; a page at a denied address may be where it was framed before', () => {
  expect(ownCsp).toBe(`${framedCsp}; frame-ancestors 'none'`);
});
