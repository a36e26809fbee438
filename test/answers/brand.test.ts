import { expect, test } from 'vitest';
import { brandRules } from '../../src/answers/brand.ts';

test.each([
  ['#1d4fd7', '--act:#1d4fd7', '--on-act:#ffffff'],
  ['#ffe600', '--act:#ffe600', '--on-act:#000000'],
])('%s is the colour of buttons, with text that can be read on it', (colour, act, onAct) => {
  const [light = ''] = brandRules(colour).split('@media');
  expect(light).toContain(act);
  expect(light).toContain(onAct);
});

test('a colour too faint for a link is made darker by day and lighter by night', () => {
  const [light = '', dark = ''] = brandRules('#808080').split('@media');
  const link = (rules: string): number => parseInt(/--link:#(..)/.exec(rules)?.[1] ?? '', 16);
  expect(link(light)).toBeLessThan(0x80);
  expect(link(dark)).toBeGreaterThanOrEqual(0x80);
});

test('on paper links are black', () => {
  expect(brandRules('#ffe600')).toContain('@media print{:root{--link:#000}}');
});
