import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { createSettling, SETTLE } from '../../src/gateway/settling.ts';
import { writeConfig } from '../support/lab.ts';

const full = `
rules:
  - { id: one, domains: [a.test, b.test], effect: deny, reason: R. }
`;
const read = (policy: string) => loadConfig(writeConfig({ policy, settings: {} })).policyOfFile;

test('what may have lost something waits for two seconds without a write; what does not, for nothing', () => {
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
