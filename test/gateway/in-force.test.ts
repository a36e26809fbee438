import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { ConfigError } from '../../src/errors.ts';
import { createInForce } from '../../src/gateway/in-force.ts';
import { repository } from '../support/lab.ts';

const shipped = loadConfig(join(repository, 'config/sallyport.yaml'));

/** Files that are another configuration each time they are read; null: broken ones. */
function open() {
  let reads = 0;
  let file: string | null = 'first';
  const load = (): Config => {
    reads += 1;
    if (file === null) throw new ConfigError('broken');
    return { ...shipped, policyHash: file };
  };
  const inForce = createInForce({
    load,
    sets: () => new Map(),
    demand: () => undefined,
    refusesLeaf: () => false,
    now: () => 0,
    log: () => undefined,
  });
  const reload = (from: 'preview' | 'files') => inForce.reload(() => undefined, 'by-change', from);
  return {
    inForce,
    reload,
    reads: () => reads,
    write: (content: string | null) => (file = content),
    policy: () => inForce.config().policyHash,
  };
}

test('what a look has read is not read again', () => {
  const { inForce, reload, reads, write, policy } = open();
  write('second');
  expect(inForce.preview().policyHash).toBe('second');
  expect(reload('preview')).toBe('changed');
  expect(policy()).toBe('second');
  expect(reads()).toBe(2);
});

test('a look is good for one reload: what came since is never undone by it', () => {
  const { inForce, reload, write, policy } = open();
  write('second');
  inForce.preview();
  write('third');
  reload('files');
  expect(policy()).toBe('third');
  reload('preview');
  expect(policy()).toBe('third');
});

test('a look that fails leaves nothing to a reload', () => {
  const { inForce, reload, write, policy } = open();
  write('second');
  inForce.preview();
  write(null);
  expect(() => inForce.preview()).toThrow('broken');
  expect(reload('preview')).toBe('failed');
  expect(policy()).toBe('first');
  expect(inForce.reloaded().problem).toBe('broken');
});
