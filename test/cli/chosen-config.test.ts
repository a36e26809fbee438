/** A policy that is not in force yet, checked and explained. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { labPolicy, writeConfig } from '../support/lab.ts';
import { run } from '../support/product.ts';

const next = labPolicy.replace('rules:', 'rules:\n  - { id: next, domains: ok.test, effect: deny, reason: Soon. }');

async function said(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const started = run(args);
  const { code } = await started.ended;
  return { code, out: started.stdout(), err: started.stderr() };
}

test('check and explain read it in the place of the one in force', async () => {
  const file = writeConfig();
  const policy = join(file, '../next.yaml');
  writeFileSync(policy, next);
  expect((await said('check', '-c', file, '--policy', policy)).out).toMatch(/next\.yaml: ok, 8 rules, /);
  expect(await said('explain', 'ok.test', '-c', file)).toMatchObject({ code: 0 });
  const explained = await said('explain', 'ok.test', '-c', file, '--policy', policy, '--json');
  expect(explained.code).toBe(1);
  expect(JSON.parse(explained.out)).toMatchObject({ effect: 'deny', rule: 'next' });
});

test('what is wrong in it is told with its place', async () => {
  const file = writeConfig();
  const policy = join(file, '../next.yaml');
  writeFileSync(policy, next.replace('effect: deny', 'effect: denied'));
  const { code, err } = await said('check', '-c', file, '--policy', policy);
  expect(code).toBe(2);
  expect(err).toMatch(/next\.yaml:\d+:\d+: .*"denied"/);
  expect((await said('check', '-c', file, '--policy', join(file, '../none.yaml'))).err).toMatch(/none\.yaml.*\n$/);
});
