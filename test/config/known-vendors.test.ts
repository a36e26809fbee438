/** Vendor files are read once: what is remembered is what they say, and nothing that changed is taken from memory. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compiledText, readCompiled, unchangedOr, vendorText } from '../../src/config/known-vendors.ts';
import type { VendorText } from '../../src/config/known-vendors.ts';
import { readCatalogue, readVendors } from '../../src/config/vendors.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sallyport-known-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const shipped = readVendors('config/vendors', null).map(({ text, vendor }) => ({ ...text, vendor }));

describe('the file that the build leaves', () => {
  const at = (): string => join(dir, 'catalogue.json');

  test('says what the vendor files say', () => {
    writeFileSync(at(), compiledText(shipped));
    const { vendors, sound } = readCompiled(at());
    expect(vendors.size).toBe(shipped.length);
    expect(sound.size).toBe(1);
    for (const { digest, vendor } of shipped) expect(vendors.get(digest)).toEqual(vendor);
  });

  test.each([
    ['cut short', (text: string) => text.slice(0, -100)],
    ['changed', (text: string) => text.replace('"anthropic.com"', '"anthropic.net"')],
    ['of other code', (text: string) => text.replace(/^\["[^"]+"/, '["other"')],
    ['empty', () => ''],
    ['no JSON', () => 'hello\nworld'],
  ])('that is %s says nothing', (_, harm) => {
    writeFileSync(at(), harm(compiledText(shipped)));
    expect(readCompiled(at()).vendors.size).toBe(0);
  });

  test('that is missing says nothing', () => {
    expect(readCompiled(at()).vendors.size).toBe(0);
  });
});

const minute = 60_000;

describe('a file on disk', () => {
  const reading = (): { readonly read: (file: string) => VendorText; readonly count: () => number } => {
    let count = 0;
    return {
      read: (file) => {
        count += 1;
        return vendorText(file, readFileSync(file, 'utf8'));
      },
      count: () => count,
    };
  };

  test('is read again only once it has changed', () => {
    const file = join(dir, 'a.yaml');
    const { read, count } = reading();
    writeFileSync(file, 'one');
    const later = Date.now() + minute;
    expect(unchangedOr([file], read, later)[0]?.text).toBe('one');
    expect(unchangedOr([file], read, later)[0]?.text).toBe('one');
    expect(count()).toBe(1);
    writeFileSync(file, 'two');
    expect(unchangedOr([file], read, later)[0]?.text).toBe('two');
    expect(count()).toBe(2);
  });

  test('is read again while it is so young that it could have changed within the tick of a clock', () => {
    const file = join(dir, 'a.yaml');
    const { read, count } = reading();
    writeFileSync(file, 'one');
    unchangedOr([file], read);
    unchangedOr([file], read);
    expect(count()).toBe(2);
  });
});

test('a change to one file is seen, and so is a fault between files that were good by themselves', () => {
  const vendor = (id: string, host: string): void =>
    writeFileSync(
      join(dir, `${id}.yaml`),
      `id: ${id}\nname: ${id}\nproducts:\n  - id: app\n    name: App\n    kind: chat\n    hosts:\n      - { exact: ${host}, role: app, source: test, confidence: own-knowledge }\n`,
    );
  const hosts = (): unknown[] =>
    readCatalogue({ vendors: dir, key: null, overlay: null }).vendors.map(
      ({ products }) => products[0]?.hosts[0]?.exact,
    );
  vendor('one', 'one.example');
  vendor('two', 'two.example');
  expect(hosts()).toEqual([['one.example'], ['two.example']]);
  vendor('two', 'three.example');
  expect(hosts()).toEqual([['one.example'], ['three.example']]);
  vendor('two', 'one.example');
  expect(hosts).toThrow(/two\.yaml:8:\d+: the host "one\.example" is already listed in .*one\.yaml:8; keep one/);
  vendor('two', 'two.example');
  expect(hosts()).toEqual([['one.example'], ['two.example']]);
});
