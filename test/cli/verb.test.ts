import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configFile, UsageError } from '../../src/cli/verb.ts';
import type { Io } from '../../src/cli/verb.ts';
import { withConfig } from '../config/folder.ts';

const io = (cwd: string, env: Io['env'] = {}): Io => ({ out: () => undefined, err: () => undefined, env, cwd });

test('the configuration is what -c names, then the environment, then the folder, then the example', () => {
  withConfig({ 'config/sallyport.yaml': '{}' }, (shipped, dir) => {
    const env = { SALLYPORT_CONFIG: 'b.yaml' };
    expect(configFile('a.yaml', io(dir, env), shipped)).toBe(join(dir, 'a.yaml'));
    expect(configFile(undefined, io(dir, env), shipped)).toBe(join(dir, 'b.yaml'));
    expect(configFile(undefined, io(dir), shipped)).toBe(join(dir, 'config/sallyport.yaml'));
    expect(configFile(undefined, io('/nowhere'), shipped)).toBe(shipped);
  });
});

test('where there is none, the message says how to name one', () => {
  const none = (): string => configFile(undefined, io('/nowhere'), '/opt/sallyport/config/sallyport.yaml');
  expect(none).toThrow(UsageError);
  expect(none).toThrow(
    'there is no /nowhere/config/sallyport.yaml, and none was named; name one with -c FILE or in SALLYPORT_CONFIG',
  );
});
