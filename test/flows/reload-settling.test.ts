/** A policy that loses rules while it is written, line by line and by whoever stops in the middle. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { labPolicy } from '../support/lab.ts';
import { labOfTest } from '../support/origins.ts';
import { eventually } from '../support/streams.ts';

const withFlip = labPolicy.replace('rules:', 'rules:\n  - { id: flip, domains: flip.test, effect: deny, reason: R. }');

test('no rule is out of force while somebody writes the file line by line', async () => {
  const many = Array.from({ length: 12 }, (_, i) => `  - { id: r${i}, domains: r${i}.test, effect: deny, reason: R. }`);
  const lines = withFlip
    .split('rules:\n')
    .join(`rules:\n${many.join('\n')}\n`)
    .split('\n');
  const lab = await labOfTest({ policy: lines.join('\n'), settings: { reload: 'watch' } });
  const file = join(lab.dir, 'policy.yaml');
  const rules = (): number => lab.gateway.config().policy.rules.length;
  const all = rules();
  const fewest: number[] = [];
  for (let end = 0; end <= lines.length; end++) {
    writeFileSync(file, `${lines.slice(0, end).join('\n')}\n`);
    await setTimeout(150);
    fewest.push(rules());
  }
  expect(Math.min(...fewest)).toBe(all);
});

test('a rule goes once its file has been left alone for two seconds, and at once if asked for', async () => {
  const lab = await labOfTest({ policy: withFlip, settings: { reload: 'watch' } });
  const file = join(lab.dir, 'policy.yaml');
  const denied = (): boolean => lab.gateway.config().policy.rules.some(({ id }) => id === 'flip');
  const since = performance.now();
  writeFileSync(file, labPolicy);
  await setTimeout(1_000);
  writeFileSync(file, `${labPolicy}\n`);
  await eventually('the rule to be gone', () => !denied());
  expect(performance.now() - since).toBeGreaterThan(3_000);
  expect(performance.now() - since).toBeLessThan(5_000);
  writeFileSync(file, withFlip);
  await eventually('the rule to be back', denied);
  writeFileSync(file, labPolicy);
  expect(await lab.gateway.refresh()).toBe(true);
  expect(denied()).toBe(false);
});

test('a rule goes at once where another file takes the place of its own', async () => {
  const lab = await labOfTest({ policy: withFlip, settings: { reload: 'watch' } });
  const file = join(lab.dir, 'policy.yaml');
  const since = performance.now();
  writeFileSync(`${file}.new`, labPolicy);
  renameSync(`${file}.new`, file);
  await eventually('the rule to be gone', () => lab.gateway.config().policy.rules.every(({ id }) => id !== 'flip'));
  expect(performance.now() - since).toBeLessThan(1_800);
});

test('a policy that has lost its end before its rules takes none of them away, whoever asks', async () => {
  const lab = await labOfTest({ policy: withFlip, settings: { reload: 'watch' } });
  const file = join(lab.dir, 'policy.yaml');
  const before = lab.gateway.config();
  writeFileSync(file, withFlip.slice(0, withFlip.indexOf('rules:')));
  expect(await lab.gateway.refresh()).toBe(false);
  expect(lab.told.join('\n')).toContain('policy.yaml: "rules" is missing, so');
  await setTimeout(2_500);
  expect(lab.gateway.config()).toBe(before);
  writeFileSync(file, 'rules: []\n');
  expect(await lab.gateway.refresh()).toBe(true);
  expect(lab.gateway.config().policy.rules).toEqual([]);
});

test('an exception whose group is still to come is for nobody meanwhile', async () => {
  const granted = `${withFlip}\nexceptions:\n  - id: trial\n    domains: flip.test\n    until: 2999-01-01\n    approved_by: Ada\n    reason: R.\n`;
  const groups = 'groups:\n  staff: { networks: 192.0.2.0/24 }\n';
  const policy = `${groups}${granted}    groups: staff\n`;
  const lab = await labOfTest({ policy: `${groups}${withFlip}`, settings: { reload: 'watch' } });
  const file = join(lab.dir, 'policy.yaml');
  const given = () => lab.gateway.config().policy.exceptions.map(({ groups }) => groups);
  writeFileSync(file, `${groups}${granted}`);
  await setTimeout(1_000);
  expect(given()).toEqual([]);
  writeFileSync(file, policy);
  await eventually('the exception to be in force', () => given().length > 0);
  expect(given()).toEqual([['staff']]);
});
