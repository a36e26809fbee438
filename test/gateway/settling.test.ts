import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { createSettling, deniesLess, SETTLE } from '../../src/gateway/settling.ts';
import { writeConfig } from '../support/lab.ts';

const full = `
rules:
  - { id: one, domains: [a.test, b.test], vendors: openai, effect: deny, reason: R. }
  - { id: two, domains: c.test, effect: deny, reason: R. }
defaults: { unlisted: deny, ech: deny }
mode: sanctioned-only
`;
const read = (policy: string) => loadConfig(writeConfig({ policy, settings: {} })).policyOfFile;

test.each([
  ['nothing', full, false],
  ['another reason', full.replace('R.', 'Another.'), false],
  ['a rule more', full.replace('rules:', 'rules:\n  - { id: x, domains: d.test, effect: deny, reason: R. }'), false],
  ['a domain more', full.replace('b.test', 'b.test, d.test'), false],
  ['a condition less', full.replace('vendors: openai, ', ''), false],
  ['a rule less', full.replace(/ {2}- \{ id: two.*\n/, ''), true],
  ['a rule of another name', full.replace('id: two', 'id: deux'), true],
  ['no rule', full.replace(/rules:\n.*\n.*\n/, 'rules: []\n'), true],
  ['a domain less', full.replace(', b.test', ''), true],
  ['a default less', full.replace('unlisted: deny, ', ''), true],
  ['no defaults', full.replace(/defaults.*\n/, ''), true],
  ['no mode', full.replace(/mode.*\n/, ''), true],
])('%s: %#', (_, next, less) => {
  expect(deniesLess(read(full), read(next))).toBe(less);
});

test('what denies less waits for two seconds without a write; what does not, for nothing', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-settling-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const policyFile = join(dir, 'policy.yaml');
  const before = { policyFile, policyOfFile: read(full) };
  const less = { policyFile, policyOfFile: read('rules: []') };
  let now = 0;
  writeFileSync(policyFile, 'one');
  const { settled } = createSettling(() => now, policyFile);
  expect(settled(before, before)).toBe(true);
  expect(settled(less, before)).toBe(true);
  expect(settled(before, less)).toBe(false);
  now += SETTLE - 1;
  expect(settled(before, less)).toBe(false);
  utimesSync(policyFile, 1, 1);
  now += 1;
  expect(settled(before, less)).toBe(false);
  now += SETTLE;
  expect(settled(before, less)).toBe(true);
  expect(settled(before, less)).toBe(true);
  utimesSync(policyFile, 2, 2);
  expect(settled(before, less)).toBe(false);
  writeFileSync(join(dir, 'aside'), 'two');
  renameSync(join(dir, 'aside'), policyFile);
  expect(settled(before, less)).toBe(true);
});
