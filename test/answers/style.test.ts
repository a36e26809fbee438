import { expect, test } from 'vitest';
import { createSkin } from '../../src/answers/style.ts';

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

/**
 * The last word on each colour: by day the properties of the plain `:root` rules, by night those of the dark ones over
 * them.
 */
function themes(sheet: string) {
  const screen = sheet.replace(/@media print\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, '');
  const dark = Array.from(screen.matchAll(/prefers-color-scheme:dark\)\{(:root\{[^}]*\})\}/g), ([, rule]) => rule);
  const light = screen.replace(/@media \(prefers-color-scheme:dark\)\{:root\{[^}]*\}\}/g, '').match(/:root\{[^}]*\}/g);
  return [
    ['light', colours((light ?? []).join(''))],
    ['dark', colours(dark.join(''))],
  ] as const;
}

const pairs = [
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
] as const;

const brands = [null, '#ffe600', '#000000', '#ffffff', '#7f7f7f', '#e4002b', '#00ff00', '#1a237e'];
const looks = brands.flatMap((colour) =>
  themes(createSkin({ colour }).sheet).map(([theme, colourOf]) => ({ brand: colour ?? 'our own', theme, colourOf })),
);

test.each(looks)('$brand, $theme: all text is readable (WCAG AA)', ({ colourOf }) => {
  const faint = pairs.filter(([front, back]) => contrast(colourOf(front), colourOf(back)) < 4.5);
  expect(faint).toEqual([]);
});

test('a colour that can be read stays what it is', () => {
  expect(createSkin({ colour: '#e4002b' }).sheet).toContain('--act:#e4002b');
});

test('heeds motion, paper and small screens', () => {
  for (const query of ['prefers-reduced-motion:reduce', 'print', 'max-width:30rem', 'prefers-color-scheme:dark'])
    expect(createSkin({}).sheet).toContain(query);
});

test('our own pages are in no frame; a page at a denied address may be where it was framed before', () => {
  const { ownCsp, framedCsp } = createSkin({});
  expect(ownCsp).toBe(`${framedCsp}; frame-ancestors 'none'`);
});
