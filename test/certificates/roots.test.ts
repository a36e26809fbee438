import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { trustedRoots } from '../../src/certificates/roots.ts';
import { certificateOfTest } from '../support/origins.ts';

function file(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'roots-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'roots.pem'), text);
  return join(dir, 'roots.pem');
}

test('the first bundle of the system that has any is trusted, and the own file beside it', () => {
  const [one, two, own] = ['one.test', 'two.test', 'own.test'].map((name) => certificateOfTest(name).cert.trim());
  const system = [file('nothing'), '/does/not/exist', file(`# words\n${one}\n${two}\n`), file(String(own))];
  expect(trustedRoots(null, system)()).toEqual([one, two]);
  expect(trustedRoots(file(String(own)), system)()).toEqual([one, two, own]);
});

test('without one the roots of Node.js are', () => {
  expect(trustedRoots(null, [])()).toEqual(rootCertificates);
});

test.each([
  ['words', /it contains no certificate; outbound\.ca_file/],
  ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /certificate 1 of 1 cannot be read/],
])('an own file that holds %j is refused', (text, complaint) => {
  expect(() => trustedRoots(file(text))).toThrow(complaint);
});

test('an own file that is not there is refused', () => {
  expect(() => trustedRoots('/does/not/exist')).toThrow(/cannot be read \(ENOENT\); correct outbound\.ca_file/);
});
