import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadOther } from '../../src/config/load-other.ts';
import { repository } from '../support/lab.ts';

function folder(): (name: string, text: string) => string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-other-'));
  cpSync(join(repository, 'config/vendors/deepl.yaml'), join(dir, 'vendors/deepl.yaml'), { recursive: true });
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return (name, text) => {
    const file = join(dir, name);
    writeFileSync(file, text);
    return file;
  };
}

const rule = (id: string): string => `rules: [{ id: ${id}, effect: deny, domains: [a.test], reason: Because. }]\n`;
const ids = (file: string, base: string): string[] => loadOther(file, base).policy.rules.map((one) => one.id);

test.each([
  ['rules alone', rule('other')],
  ['a time zone and exceptions', `time_zone: Europe/Berlin\nexceptions: []\n${rule('other')}`],
])('a policy takes the place of the one that is named: %s', (_, text) => {
  const put = folder();
  put('policy.yaml', rule('own'));
  const base = put('sallyport.yaml', 'vendors: vendors\n');
  expect(ids(put('other.yaml', text), base)).toEqual(['other']);
});

test.each([
  ['other.yaml', 'policy: second.yaml\nvendors: vendors\nexceptions: made.jsonl\n'],
  ['other.yaml', 'vendors: vendors\npolicy: second.yaml\nreload: signal\n'],
])('%s with settings is a whole configuration', (name, text) => {
  const put = folder();
  put('policy.yaml', rule('own'));
  put('second.yaml', rule('second'));
  const base = put('sallyport.yaml', 'vendors: vendors\n');
  expect(ids(put(name, text), base)).toEqual(['second']);
});
