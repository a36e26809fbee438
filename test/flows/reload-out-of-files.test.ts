/** A reload for which there was no descriptor acts once there is one, without anybody who asks again. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { labPolicy } from '../support/lab.ts';
import { openFiles, procIsThere, serve } from '../support/product.ts';
import { eventually } from '../support/streams.ts';

test.each(['watch', 'signal'])('a reload without a descriptor is made when there is one: %s', async (reload) => {
  if (!procIsThere('a reload without a descriptor')) return;
  const product = await serve({ policy: labPolicy, settings: { reload } });
  const mayOpen = (most: number): void => {
    execFileSync('prlimit', ['--pid', String(product.pid), `--nofile=${String(most)}:`]);
  };
  mayOpen(openFiles(product.pid) - 5);
  const rule = '- { id: flip, domains: flip.test, effect: deny, reason: R. }';
  writeFileSync(join(product.dir, 'policy.yaml'), labPolicy.replace('rules:', `rules:\n  ${rule}`));
  if (reload === 'signal') product.kill('SIGHUP');
  await eventually('the failure', () => product.stderr().includes('reload failed'));
  expect(product.stderr()).toMatch(
    /reload failed, the old policy stays: .*cannot be read \(EMFILE\): .*; raise LimitNOFILE/,
  );
  expect(product.stderr()).not.toContain('correct the path');
  mayOpen(1_000);
  await eventually('the reload', () => /reloaded: \d+ rules/.test(product.stderr()));
  expect(product.stderr().match(/reload failed/g)).toHaveLength(1);
});
