import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openFiles } from '../../src/cli/open-files.ts';
import { loadConfig } from '../../src/config/load.ts';
import { withConfig } from '../config/folder.ts';

const configOf = (settings: string) => withConfig({ 'sallyport.yaml': settings }, (file) => loadConfig(file));

function tableOf(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-limits-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'limits'), text);
  return join(dir, 'limits');
}

test('two for each connection, and some', () => {
  const table = tableOf(
    'Max processes 5 5 processes\nMax open files            1024                 4096       files\n',
  );
  const config = configOf('limits: { connections: 1000 }');
  expect(openFiles(config, table)).toEqual({ most: 1024, wanted: 2200, connections: 1000 });
});

test('each of several workers has a limit of its own, and its part of the connections', () => {
  const files = openFiles(configOf('workers: 4\nlimits: { connections: 1000 }'), tableOf('Max open files 1024 1024\n'));
  expect(files?.connections).toBeGreaterThanOrEqual(250);
  expect(files?.connections).toBeLessThan(400);
});

test('a system that does not tell, and one without a limit', () => {
  expect(openFiles(configOf('{}'), '/nowhere/limits')).toBeNull();
  expect(openFiles(configOf('{}'), tableOf('Max open files unlimited unlimited files\n'))?.most).toBe(Infinity);
});
