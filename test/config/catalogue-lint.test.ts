import { expect, test } from 'vitest';
import { lintVendors, notesOn } from '../../src/config/catalogue-lint.ts';
import { publicSuffix } from '../../src/config/public-suffix.ts';
import { readVendors } from '../../src/config/vendors.ts';
import { goodVendor, withConfig } from './folder.ts';
import type { Files } from './folder.ts';

function read(files: Files) {
  return withConfig(files, (_, dir) => {
    const sources = readVendors(`${dir}/vendors`, null);
    const errors = lintVendors(sources).map(({ position, message }) => `${position?.line ?? 0}: ${message}`);
    return { errors, vendors: sources.map(({ vendor }) => vendor) };
  });
}

test.each([
  ['co.uk', 'registry'],
  ['github.io', 'company'],
  ['acme.co.uk', null],
  ['octo.github.io', null],
])('%s as a public suffix: %s', (host, kind) => {
  expect(publicSuffix(host)).toBe(kind);
});

test.each([
  ['a good file', goodVendor, []],
  [
    'a suffix of a registry',
    goodVendor.replace('acme.test', 'co.uk'),
    ['12: "co.uk" is a public suffix, under which anyone can register; name the hosts'],
  ],
  [
    'one of a company',
    goodVendor.replace('acme.test', 'web.app'),
    [
      '12: "web.app" is a public suffix, under which anyone can register; name the hosts, or write "own_suffix: true" where the vendor owns it',
    ],
  ],
  ['one of its own', goodVendor.replace('acme.test, ', 'claude.app, own_suffix: true, '), []],
  ['one for its users', goodVendor.replace('acme.test, role: app', 'hf.space, role: usercontent'), []],
  [
    'a line without a day',
    goodVendor.replace(', checked: 2026-07-10', ''),
    ['12: the entry is "verified" but has no date; add "checked", or write "own-knowledge"'],
  ],
])('%s', (_, text, expected) => {
  expect(read({ 'vendors/acme.yaml': text }).errors).toEqual(expected);
});

test('notes what is worth a look', () => {
  const beta = goodVendor
    .replace('id: acme', 'id: beta')
    .replace('acme.test', 'b.acme.test')
    .replace('verified', 'own-knowledge');
  const { vendors } = read({ 'vendors/beta.yaml': beta });
  expect(notesOn(vendors, Date.UTC(2026, 6, 11))).toEqual([
    'beta: b.acme.test lies inside acme.test of acme; the longer one wins',
    '1 host entry is own knowledge that nobody has checked',
  ]);
  expect(notesOn(vendors, Date.UTC(2028, 0, 1))).toContain('acme: lines were last checked on 2026-07-10');
});
