/** Files of a configuration that are there, and that nobody can look at. */
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { labPolicy } from '../support/lab.ts';
import { labOfTest } from '../support/origins.ts';
import { acmeVendor as acme } from '../support/vendor.ts';

test.each(['vendors/acme.yaml', 'relays.txt'])('%s that nobody can look at is told in one line', async (name) => {
  const policy = labPolicy.replace('rules:', 'lists: { relays: { file: relays.txt } }\nrules:');
  const lab = await labOfTest({ vendors: { 'acme.yaml': acme } });
  const put = (): void => {
    writeFileSync(join(lab.dir, 'relays.txt'), 'flip.test\n');
    writeFileSync(join(lab.dir, 'vendors/acme.yaml'), acme);
  };
  put();
  writeFileSync(join(lab.dir, 'policy.yaml'), policy);
  const file = join(lab.dir, name);
  rmSync(file);
  // stat(2) fails with ELOOP, as it does with EACCES or ESTALE where rights or a server are gone.
  symlinkSync(file, file);
  expect(await lab.gateway.refresh()).toBe(false);
  expect(lab.told).toHaveLength(1);
  expect(lab.told[0]).toMatch(/^reload failed, the old policy stays: [^|]+\(ELOOP\)[^|]+$/);
  expect(lab.told[0]).toContain(name);
  expect(await lab.metric('sallyport_config_last_reload_successful')).toBe(0);
  rmSync(file);
  put();
  expect(await lab.gateway.refresh()).toBe(true);
});
