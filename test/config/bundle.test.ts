import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { makeBundle, readBundle } from '../../src/config/bundle.ts';
import { loadConfig } from '../../src/config/load.ts';
import { InvalidConfig } from '../../src/config/problem.ts';
import { goodVendor, withConfig } from './folder.ts';

const dir = mkdtempSync(join(tmpdir(), 'sallyport-bundle-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function keys(name: string, type: 'ed25519' | 'ed448' = 'ed25519'): { readonly secret: string; readonly open: string } {
  // The overloads of generateKeyPairSync take one literal each.
  const pair = type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ed448');
  const [secret, open] = [join(dir, `${name}.key`), join(dir, `${name}.pub`)];
  writeFileSync(secret, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(open, pair.publicKey.export({ type: 'spki', format: 'pem' }));
  return { secret, open };
}

const ours = keys('ours');
const theirs = keys('theirs');
const odd = keys('odd', 'ed448');
const created = '2026-07-10T00:00:00.000Z';
const text = makeBundle(
  {
    created,
    files: [
      ['beta.yaml', 'id: b\n'],
      ['acme.yaml', goodVendor],
    ],
  },
  ours.secret,
);

function written(content: string): string {
  const file = join(dir, 'catalogue.json');
  writeFileSync(file, content);
  return file;
}

function complaintOf(step: () => unknown): string | null {
  try {
    step();
    return null;
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    return error.message.replaceAll(`${dir}/`, '');
  }
}

test('is read back as it was made, in the order of the names', () => {
  expect(readBundle(written(text), ours.open)).toEqual({
    created,
    files: [
      ['acme.yaml', goodVendor],
      ['beta.yaml', 'id: b\n'],
    ],
  });
});

describe('is refused', () => {
  const changed = (from: string, to: string): string => {
    expect(text).toContain(from);
    return text.replace(from, to);
  };
  const untrusted =
    'catalogue.json: the signature is not by the key in ours.pub; get the bundle from whoever holds that key';
  const none = 'catalogue.json: this is not a bundle made by "sallyport catalog bundle"; make it again';
  test.each([
    ['with a changed file', changed('acme.test', 'evil.test'), untrusted],
    ['with another file name', changed('acme.yaml', 'acmf.yaml'), untrusted],
    ['with another time', changed('2026-07-10', '2026-07-11'), untrusted],
    ['with text moved over a boundary', changed('id: b\\n', 'id: b\\n\\n'), untrusted],
    ['signed by another', makeBundle({ created, files: [['acme.yaml', goodVendor]] }, theirs.secret), untrusted],
    ['with a name that leaves the folder', changed('acme.yaml', '../acme.yaml'), none],
    ['in another format', changed('catalogue/1', 'catalogue/2'), none],
    ['when it is not JSON', 'x', none],
    ['when it is something else', '{}', none],
  ])('%s', (_, content, line) => {
    const file = written(content);
    expect(complaintOf(() => readBundle(file, ours.open))).toBe(line);
  });

  test('without a key to verify it', () => {
    expect(complaintOf(() => readBundle(written(text), null))).toMatch(/read only with a key/);
  });

  test('with what is no key, or one of another kind', () => {
    const file = written(text);
    expect(complaintOf(() => readBundle(file, file))).toMatch(/not a key in PEM/);
    expect(complaintOf(() => readBundle(file, odd.open))).toMatch(/of type ed448; bundles are signed with Ed25519/);
    expect(complaintOf(() => readBundle(file, join(dir, 'none')))).toMatch(/there is no such file/);
  });
});

test('a configuration may name one in the place of the folder', () => {
  const one = makeBundle({ created, files: [['acme.yaml', goodVendor]] }, ours.secret);
  const files = {
    'sallyport.yaml': 'vendors: catalogue.json\nvendors_key: key.pub\n',
    'catalogue.json': one,
    'key.pub': readFileSync(ours.open, 'utf8'),
  };
  withConfig(files, (file, folder) => {
    const config = loadConfig(file);
    expect(config.vendors.map(({ id }) => id)).toEqual(['acme']);
    expect(config.files).toContain(join(folder, 'catalogue.json'));
    expect(config.files).toContain(join(folder, 'key.pub'));
  });
  withConfig({ ...files, 'catalogue.json': one.replace('acme.test', 'evil.test') }, (file) => {
    expect(() => loadConfig(file)).toThrow(/the signature is not by the key in/);
  });
});
